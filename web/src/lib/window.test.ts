import { expect, test } from 'vitest';
import { pagesOf, sliceOf } from './window';

const view = (scrollTop: number, height = 480): { scrollTop: number; height: number } => ({ scrollTop, height });

test('the top of a table begins with its first row', () => {
  expect(sliceOf(view(0), 1000, 48, 0)).toEqual({ first: 0, last: 11, before: 0, after: 989 * 48 });
});

test('the space of rows that are not drawn stays the same while scrolling', () => {
  for (let y = 0; y < 47_000; y += 313) {
    const s = sliceOf(view(y), 1000, 48);
    expect(s.before + s.after + (s.last - s.first) * 48).toBe(48_000);
  }
});

test('what is on the screen is always drawn', () => {
  for (let y = 0; y <= 47_520; y += 97) {
    const s = sliceOf(view(y), 1000, 48);
    expect(s.before).toBeLessThanOrEqual(y);
    expect(s.before + (s.last - s.first) * 48).toBeGreaterThanOrEqual(y + 480);
  }
});

test('a million rows are all within reach', () => {
  const total = 1_000_000;
  expect(sliceOf(view(0), total, 48).first).toBe(0);
  expect(sliceOf(view(1e12), total, 48).last).toBe(total);
  const middle = sliceOf(view(4_000_000), total, 48);
  expect(Math.abs(middle.first - total / 2)).toBeLessThan(total * 0.01);
  expect(middle.before).toBeLessThanOrEqual(4_000_000);
  expect(middle.before + (middle.last - middle.first) * 48).toBeGreaterThanOrEqual(4_000_480);
});

test('an empty table has no rows', () => {
  expect(sliceOf(view(0), 0, 48)).toEqual({ first: 0, last: 0, before: 0, after: 0 });
});

test('a table that shrank is not scrolled past its end', () => {
  const s = sliceOf(view(40_000), 3, 48);
  expect([s.first, s.last]).toEqual([0, 3]);
});

test('pages count from one', () => {
  expect(pagesOf(0, 50, 50)).toEqual([1]);
  expect(pagesOf(49, 51, 50)).toEqual([1, 2]);
  expect(pagesOf(10, 10, 50)).toEqual([]);
});
