import { describe, expect, test } from 'vitest';
import type { MetricData, Samples } from './api';
import { bandOf, ceiling, hasSamples, judge, latest, lineOf, summaryOf } from './series';

const metric = (...lines: Samples[]): MetricData => ({
  timestep: 60,
  series: lines.map((data, i) => ({ hostname: `n${i}`, data })),
});

describe('band', () => {
  test('sums up each slot', () => {
    expect(bandOf(metric([1, 4], [2, 5], [9, 6]))).toEqual({ min: [1, 4], median: [2, 5], max: [9, 6] });
  });
  test('is absent where all samples are absent', () => {
    expect(bandOf(metric([null, 1], [null, 3]))).toEqual({ min: [null, 1], median: [null, 2], max: [null, 3] });
  });
  test('reaches as far as the longest series', () => {
    expect(bandOf(metric([1], [1, 7])).max).toEqual([1, 7]);
  });
  test('is the one of the server if it sent one', () => {
    const m = { ...metric([1]), statisticsSeries: { min: [0], mean: [5], max: [9] } };
    expect(bandOf(m)).toEqual({ min: [0], median: [5], max: [9] });
  });
});

test('nothing measured is not the same as zero', () => {
  expect(hasSamples(undefined)).toBe(false);
  expect(hasSamples(metric([null, null]))).toBe(false);
  expect(hasSamples(metric([null, 0]))).toBe(true);
  expect(latest([null])).toBeNull();
  expect(latest([3, null])).toBe(3);
});

test('a line is the only series or the median of many', () => {
  expect(lineOf(metric([1, 2]))).toEqual([1, 2]);
  expect(lineOf(metric([1], [3], [9]))).toEqual([3]);
});

describe('ceiling', () => {
  test('shows what would be normal', () => expect(ceiling(5, { normal: 100 })).toBeCloseTo(106));
  test('fits the data when asked', () => expect(ceiling(5, { normal: 100 }, true)).toBeCloseTo(5.3));
  test('does not follow a broken sensor', () => expect(ceiling(1e9, { normal: 1, peak: 10 })).toBeCloseTo(106));
  test('is never zero', () => expect(ceiling(0, {})).toBe(1));
});

test.each([
  [5, { caution: 20, alert: 10 }, 'alert'],
  [15, { caution: 20, alert: 10 }, 'caution'],
  [25, { caution: 20, alert: 10 }, 'ok'],
  [250, { caution: 200, alert: 240, lowerIsBetter: true }, 'alert'],
  [100, { caution: 200, alert: 240, lowerIsBetter: true }, 'ok'],
  [null, { caution: 20 }, 'unknown'],
  [0, {}, 'ok'],
] as const)('judge(%s, %j) is %s', (v, limits, want) => expect(judge(v, limits)).toBe(want));

test('the summary leaves out series without samples', () => {
  const m = metric([1, 3], [null, null]);
  m.series[0]!.statistics = { min: 1, avg: 2, max: 3 };
  m.series[1]!.statistics = { min: 0, avg: 0, max: 0 };
  expect(summaryOf(m)).toEqual({ min: 1, avg: 2, max: 3 });
  expect(summaryOf(metric([null]))).toBeUndefined();
});
