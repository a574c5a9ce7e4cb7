// The audit trail: its records, and its filter in the page's address and in requests.
import { data } from '../lib/api';

export interface AuditRecord {
  seq: number;
  ts: string; // RFC 3339, UTC, with six decimals
  actor: string;
  subject: string;
  token_id?: string;
  via: string;
  addr?: string;
  request_id?: string;
  action: string;
  object: string;
  outcome: 'done' | 'refused' | 'failed';
  reason?: string;
  details?: Record<string, string> | null;
  hash: string;
}

export interface AuditFilter {
  who: string;
  action: string;
  object: string;
  outcome: string;
  since: string; // as people and addresses write it: 2h, 7d, or a time
  until: string;
}

const keys = ['who', 'action', 'object', 'outcome', 'since', 'until'] as const;

/** parseFilter reads the filter from a page's address. */
export function parseFilter(q: URLSearchParams): AuditFilter {
  return Object.fromEntries(keys.map((k) => [k, q.get(k) ?? ''])) as unknown as AuditFilter;
}

/** writeFilter puts the filter into a page's address and leaves the parameters of others alone. */
export function writeFilter(f: AuditFilter, into: URLSearchParams): URLSearchParams {
  const q = new URLSearchParams(into);
  for (const k of keys) {
    if (f[k]) q.set(k, f[k]);
    else q.delete(k);
  }
  return q;
}

/** momentOf reads 90m, 2h, 7d as so long before now, everything else as a time; undefined when it is neither. */
export function momentOf(text: string, now: number): number | undefined {
  const m = /^(\d+)([smhdw])$/.exec(text);
  if (m) return now - Number(m[1]) * { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }[m[2] as 's' | 'm' | 'h' | 'd' | 'w'];
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.floor(at / 1000);
}

/** toRequest writes the filter as the parameters of GET /audit. */
export function toRequest(f: AuditFilter, now: number): URLSearchParams {
  const q = new URLSearchParams();
  for (const k of ['who', 'action', 'object', 'outcome'] as const) if (f[k]) q.set(k, f[k]);
  for (const k of ['since', 'until'] as const) {
    const at = f[k] ? momentOf(f[k], now) : undefined;
    if (at !== undefined) q.set(k, String(at));
  }
  return q;
}

/** newest returns the newest records, before one when it is given. */
export function newest(f: AuditFilter, now: number, limit: number, before?: number): Promise<AuditRecord[]> {
  const q = toRequest(f, now);
  q.set('limit', String(limit));
  if (before !== undefined) q.set('before', String(before));
  return data('/audit?' + q);
}

/** behind waits for records behind one and returns them, newest first; none when there was nothing for a while. */
export async function behind(f: AuditFilter, now: number, seq: number, signal: AbortSignal): Promise<AuditRecord[]> {
  const q = toRequest(f, now);
  q.set('after', String(seq));
  q.set('wait', '25s');
  return (await data<AuditRecord[]>('/audit?' + q, { signal })).toReversed();
}

/** exportLink is where the records can be downloaded, a JSON object a line. */
export function exportLink(f: AuditFilter, now: number): string {
  const q = toRequest(f, now);
  q.set('format', 'ndjson');
  return '/api/v1/audit?' + q;
}

export interface ChainCheck {
  good: boolean;
  walked: number;
  reason: string;
  head: { seq: number; hash: string };
}

export const verifyChain = (): Promise<ChainCheck> => data('/audit/verify');
