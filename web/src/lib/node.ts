// What the nodes page says of a node: its state in one word, and whether it matches what was typed.
import type { Node } from './api';

/** stateOf returns the state of a node in one word: the machine's trouble first, then what the scheduler does with it. */
export function stateOf(n: Node): string {
  const machine = n.status?.state ?? 'unknown';
  const scheduler = n.status?.sched_state;
  return machine === 'up' && scheduler ? scheduler : machine;
}

const order = ['down', 'unknown', 'booting', 'new', 'reserved', 'allocated', 'mixed', 'idle', 'up'];

/** countStates counts nodes by state, what needs attention first. */
export function countStates(nodes: readonly Node[]): [state: string, count: number][] {
  const counts = new Map<string, number>();
  for (const n of nodes) {
    const s = stateOf(n);
    counts.set(s, (counts.get(s) ?? 0) + 1);
  }
  const rank = (s: string): number => (order.includes(s) ? order.indexOf(s) : order.length);
  return [...counts].sort(([a], [b]) => rank(a) - rank(b));
}

/** matches reports whether every typed word is part of the node's name, address, place or attributes. */
export function matches(n: Node, typed: string): boolean {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const attributes = Object.entries(n.attributes ?? {}).map(([k, v]) => `${k}=${v}`);
  const text = [n.name, n.ip, n.mac, n.cluster, n.subcluster, n.description, n.uid, ...attributes].join('\n').toLowerCase();
  return words.every((w) => text.includes(w));
}

const collator = new Intl.Collator('en', { numeric: true });

/** byPlace orders nodes by cluster and name, numbers by value. */
export function byPlace(a: Node, b: Node): number {
  return collator.compare(a.cluster ?? '', b.cluster ?? '') || collator.compare(a.name, b.name);
}
