// The filter of the jobs page: in the page's address, in the words of the search box, and in the request to the server.

export const states = [
  'running',
  'completed',
  'failed',
  'timeout',
  'out_of_memory',
  'node_fail',
  'cancelled',
  'preempted',
  'suspended',
  'deadline',
  'boot_fail',
  'pending',
] as const;

export interface JobFilter {
  state: string[];
  user: string[];
  project: string;
  cluster: string;
  partition: string;
  node: string;
  startTime: string; // "<from>-<to>" in Unix seconds, or lastNh / lastNd
  search: string;
  sort: string; // column, "-" before it for descending
}

export const defaultSort = '-startTime';

type Many = 'state' | 'user';
type One = Exclude<keyof JobFilter, Many | 'sort'>;

const many: readonly Many[] = ['state', 'user'];
const one: readonly One[] = ['project', 'cluster', 'partition', 'node', 'startTime', 'search'];

/** parseFilter reads the filter from a page's address. The names are those of ClusterCockpit's bookmarks. */
export function parseFilter(query: URLSearchParams): JobFilter {
  const known = (s: string): boolean => (states as readonly string[]).includes(s);
  return {
    state: unique(query.getAll('state')).filter(known),
    user: unique(query.getAll('user')),
    project: query.get('project') ?? '',
    cluster: query.get('cluster') ?? '',
    partition: query.get('partition') ?? '',
    node: query.get('node') ?? '',
    startTime: parseRange(query.get('startTime') ?? '') ? query.get('startTime')! : '',
    search: query.get('search') ?? query.get('jobName') ?? query.get('jobId') ?? '',
    sort: query.get('sort') ?? defaultSort,
  };
}

function unique(list: string[]): string[] {
  return [...new Set(list.filter(Boolean))];
}

/** writeFilter puts the filter into a page's address and leaves the parameters of others alone. */
export function writeFilter(f: JobFilter, into: URLSearchParams): URLSearchParams {
  const q = new URLSearchParams(into);
  for (const key of [...many, ...one, 'sort', 'jobName', 'jobId']) q.delete(key);
  for (const key of many) for (const v of f[key]) q.append(key, v);
  for (const key of one) if (f[key]) q.set(key, f[key]);
  if (f.sort !== defaultSort) q.set('sort', f.sort);
  return q;
}

export interface Range {
  from: number;
  to: number;
}

const forever = 9_999_999_999;
const last = /^last(\d{1,4})([hd])$/;

/** parseRange reads a time range; a range that ends now gets an open end. */
export function parseRange(text: string, now = 0): Range | undefined {
  const m = last.exec(text);
  if (m) return { from: now - Number(m[1]) * (m[2] === 'h' ? 3600 : 86400), to: forever };
  const r = /^(\d{1,10})-(\d{1,10})$/.exec(text);
  if (!r || Number(r[1]) > Number(r[2])) return undefined;
  return { from: Number(r[1]), to: Number(r[2]) };
}

/** Paging says which page of the listing, and up to which start time the listing goes so that pages do not shift. */
export interface Paging {
  page: number;
  size: number;
  until?: number;
  after?: number;
}

/** toRequest writes the filter as the parameters of GET /api/jobs/. */
export function toRequest(f: JobFilter, p: Paging, now: number): URLSearchParams {
  const q = new URLSearchParams();
  for (const s of f.state) q.append('state', s);
  for (const u of f.user) q.append('user', u);
  for (const key of ['project', 'cluster', 'partition', 'node', 'search'] as const) if (f[key]) q.set(key, f[key]);
  const range = parseRange(f.startTime, now) ?? { from: 0, to: forever };
  if (p.until !== undefined) range.to = Math.min(range.to, p.until);
  if (p.after !== undefined) range.from = Math.max(range.from, p.after);
  if (range.from > 0 || range.to < forever) q.set('start-time', `${range.from}-${range.to}`);
  q.set('sort', f.sort);
  q.set('items-per-page', String(p.size));
  q.set('page', String(p.page));
  q.set('with-metadata', 'true');
  return q;
}

const words: Record<string, Many | One> = {
  state: 'state',
  user: 'user',
  username: 'user',
  project: 'project',
  projectid: 'project',
  cluster: 'cluster',
  partition: 'partition',
  node: 'node',
  host: 'node',
  start: 'startTime',
};

/** addWords takes what was typed into the search box: key:value words become filters, the rest is searched for. */
export function addWords(f: JobFilter, typed: string): JobFilter {
  const next: JobFilter = { ...f, state: [...f.state], user: [...f.user] };
  const rest: string[] = [];
  for (const word of typed.trim().split(/\s+/).filter(Boolean)) {
    const at = word.indexOf(':');
    const key = words[word.slice(0, at).toLowerCase()];
    const value = word.slice(at + 1);
    if (at < 1 || !key || !value || !accept(key, value)) {
      rest.push(word);
    } else if (key === 'state' || key === 'user') {
      next[key] = unique([...next[key], ...value.split(',')]);
    } else {
      next[key] = value;
    }
  }
  next.search = rest.join(' ');
  return next;
}

function accept(key: Many | One, value: string): boolean {
  if (key === 'state') return value.split(',').every((s) => (states as readonly string[]).includes(s));
  return key !== 'startTime' || parseRange(value) !== undefined;
}

export interface Chip {
  key: Many | One;
  value: string;
}

/** chipsOf lists what narrows the list, one chip each. */
export function chipsOf(f: JobFilter): Chip[] {
  return [
    ...many.flatMap((key) => f[key].map((value) => ({ key, value }))),
    ...one.filter((key) => f[key]).map((key) => ({ key, value: f[key] })),
  ];
}

/** dropChip returns the filter without that chip. */
export function dropChip(f: JobFilter, c: Chip): JobFilter {
  if (c.key === 'state' || c.key === 'user') return { ...f, [c.key]: f[c.key].filter((v) => v !== c.value) };
  return { ...f, [c.key]: '' };
}
