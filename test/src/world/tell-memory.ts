/** Loaded before a program: it tells its parent its resident memory in bytes, every second while it runs. */
const EVERY_MS = 1000;

setInterval(() => process.send?.(process.memoryUsage.rss()), EVERY_MS).unref();
