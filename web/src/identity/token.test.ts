import { expect, test } from 'vitest';
import { endOf, listed, narrowingOf } from './token';

test('a token ends by its time or by being revoked', () => {
  expect(endOf({ expires: 10 }, 9)).toBe('');
  expect(endOf({ expires: 10 }, 10)).toBe('expired');
  expect(endOf({ expires: 10, revoked: 5 }, 9)).toBe('revoked');
});

test('lists may be typed with commas, spaces and lines', () => {
  expect(listed(' 10.0.0.0/8,fd00::/8\n 10.0.0.0/8 ')).toEqual(['10.0.0.0/8', 'fd00::/8']);
  expect(listed('')).toEqual([]);
});

test('what does not narrow is left out', () => {
  expect(narrowingOf({ readOnly: false, permissions: [], nodes: ' ', cidr: '', clusters: [] })).toEqual({});
  expect(narrowingOf({ readOnly: true, permissions: ['NodesRead'], nodes: 'n[1-4]', cidr: '::1', clusters: ['a'] })).toEqual({
    read_only: true,
    permissions: ['NodesRead'],
    nodes: 'n[1-4]',
    cidr: ['::1'],
    clusters: ['a'],
  });
});
