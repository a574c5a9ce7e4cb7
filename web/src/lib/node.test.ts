import { expect, test } from 'vitest';
import type { Node } from './api';
import { byPlace, countStates, matches, stateOf } from './node';

const node = (name: string, state: string, sched_state?: string): Node => ({
  uid: name,
  name,
  cluster: 'alpha',
  status: sched_state ? { state, sched_state } : { state },
});

test("a machine's trouble counts more than the scheduler's word", () => {
  expect(stateOf(node('a', 'down', 'idle'))).toBe('down');
  expect(stateOf(node('a', 'up', 'idle'))).toBe('idle');
  expect(stateOf(node('a', 'up'))).toBe('up');
  expect(stateOf({ uid: 'a', name: 'a' })).toBe('unknown');
});

test('what needs attention is counted first', () => {
  const nodes = [node('a', 'up', 'idle'), node('b', 'down'), node('c', 'up', 'idle'), node('d', 'up', 'odd')];
  expect(countStates(nodes)).toEqual([['down', 1], ['idle', 2], ['odd', 1]]);
});

test('every typed word must match', () => {
  const n: Node = { ...node('n01', 'up'), ip: '10.0.0.1', attributes: { rack: 'r7' } };
  expect(matches(n, '')).toBe(true);
  expect(matches(n, 'RACK=r7 n0')).toBe(true);
  expect(matches(n, 'r7 n02')).toBe(false);
});

test('names are ordered by their numbers', () => {
  expect([node('n10', 'up'), node('n9', 'up')].sort(byPlace).map((n) => n.name)).toEqual(['n9', 'n10']);
});
