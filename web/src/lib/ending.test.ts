import { expect, test } from 'vitest';
import { hear, stepOf, unheard } from './ending';

const day = 86_400;
const now = 1_000_000;
const token = (jti: string, days: number, life = 365) => ({ jti, issued: now + (days - life) * day, expires: now + days * day });

test('a token is spoken of 30, 7 and 1 days before its end', () => {
  expect([31, 30, 8, 7, 1.5, 1, 0.1].map((d) => stepOf(token('a', d), now))).toEqual([undefined, 30, 30, 7, 7, 1, 1]);
});

test('a token that has ended is not spoken of', () => {
  expect(stepOf(token('a', 0), now)).toBeUndefined();
  expect(stepOf(token('a', -1), now)).toBeUndefined();
});

test('a token that was made for a short time ends as it should', () => {
  expect(stepOf(token('a', 0.3, 1), now)).toBeUndefined();
  expect(stepOf(token('a', 6, 7), now)).toBeUndefined();
  expect(stepOf(token('a', 0.5, 7), now)).toBe(1);
});

test('what was put away comes back at the next step only', () => {
  const heard = hear([token('a', 20)], now);
  expect(unheard([token('a', 19)], heard, now)).toEqual([]);
  expect(unheard([token('a', 6)], heard, now).map((t) => t.jti)).toEqual(['a']);
});

test('the most urgent comes first, those that last are left out', () => {
  expect(unheard([token('a', 20), token('b', 2), token('c', 90)], {}, now).map((t) => t.jti)).toEqual(['b', 'a']);
});
