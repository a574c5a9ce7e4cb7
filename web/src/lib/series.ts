// Samples made ready to be drawn: bands over many series, what is missing, and where the scale ends.
import type { Limits, MetricData, Samples, Series } from './api';

/** More lines than this are summed up as a band. */
export const mostLines = 8;

export interface Band {
  min: Samples;
  median: Samples;
  max: Samples;
}

/** hasSamples reports whether anything at all was measured. */
export function hasSamples(m: MetricData | undefined): boolean {
  if (!m) return false;
  return m.series.some((s) => s.data.some((v) => v !== null)) || (m.statisticsSeries?.max ?? []).some((v) => v !== null);
}

/** slotsOf returns how many samples the longest series has. */
export function slotsOf(m: MetricData): number {
  const bands = m.statisticsSeries?.max.length ?? 0;
  return m.series.reduce((most, s) => Math.max(most, s.data.length), bands);
}

/** bandOf returns minimum, median and maximum of all series in each slot: the server's if it sent them. */
export function bandOf(m: MetricData): Band {
  const given = m.statisticsSeries;
  if (given) return { min: given.min, median: given.median ?? given.mean, max: given.max };
  const band: Band = { min: [], median: [], max: [] };
  const slots = slotsOf(m);
  for (let i = 0; i < slots; i++) {
    const values = valuesAt(m, i);
    band.min.push(values[0] ?? null);
    band.median.push(middle(values));
    band.max.push(values.at(-1) ?? null);
  }
  return band;
}

function valuesAt(m: MetricData, slot: number): number[] {
  const values: number[] = [];
  for (const s of m.series) {
    const v = s.data[slot];
    if (v !== null && v !== undefined) values.push(v);
  }
  return values.sort((a, b) => a - b);
}

function middle(sorted: number[]): number | null {
  if (sorted.length === 0) return null;
  const half = sorted.length >> 1;
  const upper = sorted[half]!;
  return sorted.length % 2 ? upper : (sorted[half - 1]! + upper) / 2;
}

/** lineOf returns one line for a small plot: the only series, or what is typical of many. */
export function lineOf(m: MetricData): Samples {
  const only = m.series[0];
  return m.series.length === 1 && only ? only.data : bandOf(m).median;
}

/** latest returns the newest sample that is there. */
export function latest(line: Samples): number | null {
  return line.findLast((v) => v !== null && v !== undefined) ?? null;
}

/** largest returns the largest sample of all series, 0 without any. */
export function largest(m: MetricData): number {
  let most = 0;
  for (const line of [...m.series.map((s) => s.data), m.statisticsSeries?.max ?? []]) {
    for (const v of line) if (v !== null && v > most) most = v;
  }
  return most;
}

/**
 * ceiling returns the upper end of a scale. A job that leaves a resource idle should look like it, so the scale goes up
 * to what is normal; a broken sensor should not flatten the rest, so it ends at ten times the peak.
 */
export function ceiling(max: number, limits: Limits, fit = false): number {
  const wanted = fit ? max : Math.max(max, limits.normal ?? 0);
  const most = limits.peak ? limits.peak * 10 : Infinity;
  return Math.min(wanted, most) * 1.06 || 1;
}

export type Verdict = 'ok' | 'caution' | 'alert' | 'unknown';

/** judge says how a value compares to the metric's marks. */
export function judge(value: number | null | undefined, limits: Limits): Verdict {
  if (value === null || value === undefined || Number.isNaN(value)) return 'unknown';
  const { alert, caution, lowerIsBetter } = limits;
  const past = (mark: number | undefined): boolean => !!mark && (lowerIsBetter ? value > mark : value < mark);
  if (past(alert)) return 'alert';
  return past(caution) ? 'caution' : 'ok';
}

export interface Summary {
  min: number;
  avg: number;
  max: number;
}

/** summaryOf returns the statistics over all series; undefined when none has any. */
export function summaryOf(m: MetricData): Summary | undefined {
  const all = m.series.flatMap((s) => statisticsOf(s) ?? []);
  if (all.length === 0) return undefined;
  return {
    min: Math.min(...all.map((s) => s.min)),
    avg: all.reduce((sum, s) => sum + s.avg, 0) / all.length,
    max: Math.max(...all.map((s) => s.max)),
  };
}

/** statisticsOf returns the statistics of one series. Over nothing they are sent as zeros; only samples tell. */
export function statisticsOf(s: Series): Summary | undefined {
  const { min, avg, max } = s.statistics ?? {};
  const told = [min, avg, max].every((v) => typeof v === 'number');
  if (!told || !s.data.some((v) => v !== null)) return undefined;
  return { min, avg, max } as Summary;
}
