// Numbers, times and units in words. Nothing here knows the page.

export interface Unit {
  base: string;
  prefix?: string;
}

const prefixes = ['p', 'n', 'µ', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const zero = prefixes.indexOf('');
const noPrefix = new Set(['', '%', '°C', 'IPC', 'load']);

/** A Scale turns stored numbers of one plot into shown ones, all with the same prefix. */
export interface Scale {
  factor: number;
  unit: string;
}

function exponentOf(prefix: string | undefined): number {
  const at = prefixes.indexOf(prefix === 'u' ? 'µ' : prefix === 'K' ? 'k' : (prefix ?? ''));
  return at < 0 ? 0 : at - zero;
}

/** scaleFor chooses the prefix with which values up to max read best. */
export function scaleFor(unit: Unit | undefined, max: number): Scale {
  const base = unit?.base ?? '';
  const from = exponentOf(unit?.prefix);
  if (noPrefix.has(base) || !Number.isFinite(max) || max === 0) {
    return { factor: 1, unit: (unit?.prefix ?? '') + base };
  }
  const size = Math.abs(max) * 1000 ** from;
  const best = Math.floor(Math.log10(size) / 3 + 1e-9);
  const to = Math.min(Math.max(best, -zero), prefixes.length - 1 - zero);
  return { factor: 1000 ** (from - to), unit: (prefixes[to + zero] ?? '') + base };
}

/** scaleTo returns the factor that turns values of a unit into values with another prefix. */
export function scaleTo(unit: Unit | undefined, prefix: string): number {
  return 1000 ** (exponentOf(unit?.prefix) - exponentOf(prefix));
}

/** number writes v with three significant digits, without exponent for what people meet. */
export function number(v: number | null | undefined): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return '–';
  const size = Math.abs(v);
  if (size >= 1e6) return v.toExponential(1);
  if (size >= 100) return Math.round(v).toLocaleString('en');
  if (size >= 10) return trim(v.toFixed(1));
  if (size >= 1) return trim(v.toFixed(2));
  if (size === 0) return '0';
  return size < 1e-3 ? v.toExponential(0) : trim(v.toFixed(3));
}

function trim(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** quantity writes a value with its unit: "63.6 GB/s". */
export function quantity(v: number | null | undefined, unit: Unit | undefined): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return '–';
  const scale = scaleFor(unit, v);
  return [number(v * scale.factor), scale.unit].filter(Boolean).join(' ');
}

/** duration writes seconds as the two largest parts: "3d 04h", "2h 05m", "48s". */
export function duration(seconds: number | undefined): string {
  if (seconds === undefined || !Number.isFinite(seconds)) return '–';
  const s = Math.max(0, Math.round(seconds));
  const pad = (n: number): string => String(n).padStart(2, '0');
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m ${pad(s % 60)}s`;
  if (s < 86400) return `${Math.floor(s / 3600)}h ${pad(Math.floor((s % 3600) / 60))}m`;
  return `${Math.floor(s / 86400)}d ${pad(Math.floor((s % 86400) / 3600))}h`;
}

/** clock writes seconds as h:mm, for axes that count from a job's start. */
export function clock(seconds: number): string {
  const s = Math.round(Math.abs(seconds));
  const rest = s % 60;
  const tail = rest ? ':' + String(rest).padStart(2, '0') : '';
  return `${Math.floor(s / 3600)}:${String(Math.floor((s % 3600) / 60)).padStart(2, '0')}${tail}`;
}

/** ago writes how long ago a time is, or how far ahead. Times are Unix seconds. */
export function ago(at: number | undefined, now: number): string {
  if (!at) return 'never';
  const d = Math.round(now - at);
  const size = Math.abs(d);
  if (size < 5) return 'now'; // clocks of pages and servers differ
  const [n, word] =
    size < 60 ? [size, 's'] : size < 3600 ? [size / 60, ' min'] : size < 86400 ? [size / 3600, ' h'] : [size / 86400, ' d'];
  const text = `${Math.floor(n)}${word}`;
  return d >= 0 ? `${text} ago` : `in ${text}`;
}

/** stamp writes a time in full, in the browser's time zone: "2026-11-24 08:33". */
export function stamp(at: number | undefined): string {
  if (!at) return '–';
  const d = new Date(at * 1000);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}`;
}

/** megabytes writes a size that is given in MB. */
export function megabytes(mb: number | undefined): string {
  return mb ? quantity(mb, { base: 'B', prefix: 'M' }) : '–';
}

/** words turns out_of_memory into "out of memory". */
export function words(name: string): string {
  return name.replaceAll('_', ' ');
}

/** plural writes a count with its noun. */
export function plural(n: number, one: string, many = one + 's'): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
}
