import { describe, expect, test } from 'vitest';
import { addWords, chipsOf, dropChip, parseFilter, parseRange, toRequest, writeFilter } from './filter';

const empty = parseFilter(new URLSearchParams());

test('the address survives reading and writing', () => {
  const text = 'state=running&state=failed&user=bob&cluster=alpha&startTime=last24h&search=lbm&sort=duration';
  expect(writeFilter(parseFilter(new URLSearchParams(text)), new URLSearchParams()).toString()).toBe(text);
});

test('other parameters of the address stay', () => {
  const q = writeFilter(empty, new URLSearchParams('metrics=ipc&user=eve'));
  expect(q.toString()).toBe('metrics=ipc');
});

test('unknown states and malformed ranges are left out', () => {
  const f = parseFilter(new URLSearchParams('state=nope&startTime=yesterday'));
  expect(f.state).toEqual([]);
  expect(f.startTime).toBe('');
});

describe('words', () => {
  test('become filters', () => {
    const f = addWords(empty, 'user:bob,eve state:running node:n01 lattice boltzmann');
    expect(f).toMatchObject({ user: ['bob', 'eve'], state: ['running'], node: 'n01', search: 'lattice boltzmann' });
  });
  test('that are no filters are searched for', () => {
    expect(addWords(empty, 'state:nope foo:bar user: :x').search).toBe('state:nope foo:bar user: :x');
  });
  test('replace the text that was searched for before', () => {
    expect(addWords({ ...empty, search: 'old' }, 'user:bob').search).toBe('');
  });
});

describe('request', () => {
  test('is the whole listing without a filter', () => {
    expect(toRequest(empty, { page: 2, size: 50 }, 1000).toString()).toBe('sort=-startTime&items-per-page=50&page=2&with-metadata=true');
  });
  test('has the narrower end of range and paging', () => {
    const q = toRequest({ ...empty, startTime: 'last1h' }, { page: 1, size: 50, until: 9000 }, 10_000);
    expect(q.get('start-time')).toBe('6400-9000');
  });
  test('can ask for what came after', () => {
    expect(toRequest(empty, { page: 1, size: 1, after: 500 }, 0).get('start-time')).toBe('500-9999999999');
  });
});

test('a range must not end before it begins', () => {
  expect(parseRange('5-4')).toBeUndefined();
  expect(parseRange('4-5')).toEqual({ from: 4, to: 5 });
});

test('a chip can be dropped', () => {
  const f = { ...empty, state: ['running', 'failed'], cluster: 'alpha' };
  expect(chipsOf(f)).toHaveLength(3);
  expect(chipsOf(dropChip(f, { key: 'state', value: 'failed' }))).toEqual([
    { key: 'state', value: 'running' },
    { key: 'cluster', value: 'alpha' },
  ]);
  expect(dropChip(f, { key: 'cluster', value: 'alpha' }).cluster).toBe('');
});
