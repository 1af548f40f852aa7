/** Takes a line about how the work goes. */
export type Say = (text: string) => void;
