// RFC 8428 §4.6: what the base fields say is added to every record after them.

/** The readings of a pack in JSON: [{name, value, unit, time}], time in seconds since 1970. Throws on what is not a pack. */
function resolve(text, now = Date.now() / 1000) {
  const pack = JSON.parse(text);
  if (!Array.isArray(pack)) throw new TypeError("a SenML pack is an array");
  const base = { bn: "", bt: 0, bu: undefined, bv: 0, bs: 0 };
  const readings = [];
  for (const record of pack) {
    for (const field of Object.keys(base)) if (field in record) base[field] = record[field];
    const name = base.bn + (record.n ?? "");
    const sum = base.bt + (record.t ?? 0);
    // A time below 2^28 is relative to now (§4.5.3).
    const time = sum < 2 ** 28 ? now + sum : sum;
    const value = "v" in record ? base.bv + record.v : record.vs ?? record.vb ?? record.vd;
    const measured = value !== undefined || "s" in record;
    if (measured) readings.push({ name, value: value ?? base.bs + record.s, unit: record.u ?? base.bu ?? "", time });
  }
  return readings;
}
