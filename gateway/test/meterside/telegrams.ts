/** A residential meter's telegram as its owner published it (ESMR 5.0, one phase, with solar panels). */
const SAGEMCOM = [
  "/Ene5\\XS210 ESMR 5.0",
  "",
  "1-3:0.2.8(50)",
  "0-0:1.0.0(171105201324W)",
  "0-0:96.1.1(4530303437303030303037363330383137)",
  "1-0:1.8.1(000051.775*kWh)",
  "1-0:1.8.2(000000.000*kWh)",
  "1-0:2.8.1(000024.413*kWh)",
  "1-0:2.8.2(000000.000*kWh)",
  "0-0:96.14.0(0001)",
  "1-0:1.7.0(00.335*kW)",
  "1-0:2.7.0(00.000*kW)",
  "0-0:96.7.21(00003)",
  "0-0:96.7.9(00001)",
  "1-0:99.97.0(0)(0-0:96.7.19)",
  "1-0:32.32.0(00002)",
  "1-0:32.36.0(00000)",
  "0-0:96.13.0()",
  "1-0:32.7.0(229.0*V)",
  "1-0:31.7.0(001*A)",
  "1-0:21.7.0(00.335*kW)",
  "1-0:22.7.0(00.000*kW)",
  "0-1:24.1.0(003)",
  "0-1:96.1.0(4730303538353330303031313633323137)",
  "0-1:24.2.1(171105201000W)(00016.713*m3)",
  "!8F46",
  "",
];

/** The same meter a day earlier. */
const DAY_BEFORE: Readonly<Record<number, string>> = {
  3: "0-0:1.0.0(171104210148W)",
  5: "1-0:1.8.1(000041.979*kWh)",
  7: "1-0:2.8.1(000017.760*kWh)",
  10: "1-0:1.7.0(00.375*kW)",
  18: "1-0:32.7.0(232.0*V)",
  19: "1-0:31.7.0(002*A)",
  20: "1-0:21.7.0(00.375*kW)",
  24: "0-1:24.2.1(171104210000W)(00013.131*m3)",
  25: "!1A98",
};

export const PUBLISHED = SAGEMCOM.join("\r\n");
export const PUBLISHED_BEFORE = SAGEMCOM.map((line, i) => DAY_BEFORE[i] ?? line).join("\r\n");

/** CRC-16/ARC bit by bit (DSMR P1 section 6.2: x^16+x^15+x^2+1, least significant bit first, nothing inverted). */
function checksum(text: string): string {
  let crc = 0;
  for (const byte of Buffer.from(text, "latin1")) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return crc.toString(16).toUpperCase().padStart(4, "0");
}

/** A telegram of these lines with a good checksum. */
export function sealed(lines: readonly string[], head = "/KFM5KAIFA-METER"): string {
  const text = [head, "", ...lines, "!"].join("\r\n");
  return `${text}${checksum(text)}\r\n`;
}

function kwh(wh: bigint): string {
  return `${String(wh / 1000n).padStart(6, "0")}.${String(wh % 1000n).padStart(3, "0")}*kWh`;
}

/** A good telegram of a register. */
export function telegramOf(imported: bigint, exported = 0n, device = "4530303437"): string {
  return sealed([
    "1-3:0.2.8(50)",
    `0-0:96.1.1(${device})`,
    `1-0:1.8.1(${kwh(imported)})`,
    `1-0:1.8.2(${kwh(0n)})`,
    `1-0:2.8.1(${kwh(0n)})`,
    `1-0:2.8.2(${kwh(exported)})`,
  ]);
}
