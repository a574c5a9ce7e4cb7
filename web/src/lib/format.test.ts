import { describe, expect, test } from 'vitest';
import { ago, clock, duration, number, quantity, scaleFor } from './format';

test.each([
  [undefined, '–'],
  [NaN, '–'],
  [null, '–'],
  [0, '0'],
  [0.5, '0.5'],
  [1.005, '1'],
  [10, '10'],
  [63.57, '63.6'],
  [100, '100'],
  [2599.39, '2,599'],
  [0.0004, '4e-4'],
])('number(%s) is %s', (v, want) => expect(number(v)).toBe(want));

describe('quantity', () => {
  test('moves between prefixes', () => {
    expect(quantity(63.57, { base: 'B/s', prefix: 'G' })).toBe('63.6 GB/s');
    expect(quantity(0.24, { base: 'Flops/s', prefix: 'G' })).toBe('240 MFlops/s');
    expect(quantity(2599.39, { base: 'Hz', prefix: 'M' })).toBe('2.6 GHz');
    expect(quantity(1000, { base: 'W' })).toBe('1 kW');
  });
  test('leaves plain numbers alone', () => {
    expect(quantity(1234, { base: '' })).toBe('1,234');
    expect(quantity(0.51, { base: 'IPC' })).toBe('0.51 IPC');
  });
  test('is never 0 for what is not there', () => {
    expect(quantity(undefined, { base: 'W' })).toBe('–');
  });
});

test('a scale of nothing keeps the unit', () => {
  expect(scaleFor({ base: 'B/s', prefix: 'G' }, 0)).toEqual({ factor: 1, unit: 'GB/s' });
});

test.each([
  [48, '48s'],
  [125, '2m 05s'],
  [7500, '2h 05m'],
  [273600, '3d 04h'],
  [-3, '0s'],
])('duration(%i) is %s', (s, want) => expect(duration(s)).toBe(want));

test.each([
  [0, '0:00'],
  [90, '0:01:30'],
  [5400, '1:30'],
  [90000, '25:00'],
])('clock(%i) is %s', (s, want) => expect(clock(s)).toBe(want));

test('ago speaks of past and future', () => {
  expect(ago(1000, 1059)).toBe('59s ago');
  expect(ago(1000, 1000 + 7300)).toBe('2 h ago');
  expect(ago(1000 + 86400 * 3, 1000)).toBe('in 3 d');
  expect(ago(0, 1000)).toBe('never');
});
