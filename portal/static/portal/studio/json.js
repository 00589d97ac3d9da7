// JSON of flat objects in which big numbers stay what they are: seeds have up to 63 bits.

export function literal(value) {
  return typeof value === "bigint" ? String(value) : JSON.stringify(value);
}

export function json(fields) {
  return `{${Object.entries(fields).map(([name, value]) => `${JSON.stringify(name)}: ${literal(value)}`).join(", ")}}`;
}

export function parse(text) {
  return JSON.parse(text, (_name, value, whole) => {
    const isRounded = Number.isInteger(value) && !Number.isSafeInteger(value);
    return isRounded && whole ? BigInt(whole.source) : value;
  });
}
