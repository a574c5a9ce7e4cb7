import { expect, test } from 'vitest';
import { momentOf, parseFilter, toRequest, writeFilter } from './audit';

const now = 1_700_000_000;

test('a time may be said as so long ago', () => {
  expect(momentOf('2h', now)).toBe(now - 7200);
  expect(momentOf('1w', now)).toBe(now - 604_800);
  expect(momentOf('2026-01-02T03:04:05Z', now)).toBe(1_767_323_045);
  expect(momentOf('soon', now)).toBeUndefined();
});

test('the filter survives the address', () => {
  const f = parseFilter(new URLSearchParams('who=a%26b&action=user.&since=2h&live=1'));
  const q = writeFilter(f, new URLSearchParams('live=1&object=gone'));
  expect(q.toString()).toBe('live=1&who=a%26b&action=user.&since=2h');
  expect(parseFilter(q)).toEqual(f);
});

test('a request has moments, and nothing that cannot be read', () => {
  const f = { ...parseFilter(new URLSearchParams()), outcome: 'refused', since: '1d', until: 'whenever' };
  expect(toRequest(f, now).toString()).toBe(`outcome=refused&since=${now - 86_400}`);
});
