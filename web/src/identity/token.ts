// What can be said of a token without asking anybody.
import type { Narrowing, Token } from './api';

/** endOf says how a token has ended, '' while it is good. */
export function endOf(t: Pick<Token, 'revoked' | 'expires'>, now: number): '' | 'revoked' | 'expired' {
  if (t.revoked) return 'revoked';
  return t.expires <= now ? 'expired' : '';
}

/** listed reads a list that people type with commas, spaces or lines between its parts. */
export function listed(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter(Boolean))];
}

/** NarrowingForm is narrowing as it stands in a form. */
export interface NarrowingForm {
  readOnly: boolean;
  permissions: string[];
  nodes: string;
  cidr: string;
  clusters: string[];
}

/** narrowingOf leaves out what does not narrow. */
export function narrowingOf(f: NarrowingForm): Narrowing {
  const cidr = listed(f.cidr);
  return {
    ...(f.readOnly && { read_only: true }),
    ...(f.permissions.length && { permissions: f.permissions }),
    ...(f.nodes.trim() && { nodes: f.nodes.trim() }),
    ...(cidr.length && { cidr }),
    ...(f.clusters.length && { clusters: f.clusters }),
  };
}
