// The typed client of the public interfaces: ClusterCockpit's under /api and ClusterWare's under /api/v1.
// Everything the pages know comes through here, with the session cookie of the same origin.
import type { Unit } from './format';

/** ApiError is an answer other than success. Status 0 means that there was no answer. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

let refused: () => void = () => {};
/** onRefused sets what happens when the server refuses because of who we are, or because it does not know that. */
export function onRefused(then: () => void): void {
  refused = then;
}

/** request asks one of the interfaces and returns what the answer says. */
export async function request(path: string, init: RequestInit = {}): Promise<unknown> {
  let reply: Response;
  try {
    reply = await fetch(path, { credentials: 'same-origin', ...init, headers: { Accept: 'application/json', ...init.headers } });
  } catch (cause) {
    if ((cause as Error).name === 'AbortError') throw cause;
    throw new ApiError(0, 'The server cannot be reached.');
  }
  const body: unknown = await reply.json().catch(() => undefined);
  if (reply.ok) return body;
  if (reply.status === 401 || reply.status === 403) refused();
  throw new ApiError(reply.status, failureText(body) ?? `${reply.status} ${reply.statusText}`);
}

// Each dialect says in its own member what went wrong.
function failureText(body: unknown): string | undefined {
  const b = body as { reason?: string; error?: string | { message?: string } } | undefined;
  return b?.reason ?? (typeof b?.error === 'object' ? b.error?.message : b?.error) ?? undefined;
}

async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await request(path, signal ? { signal } : {})) as T;
}

/** sending is a request with a body. */
export function sending(method: string, body: unknown): RequestInit {
  return { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
}

/** data unwraps the envelope of /api/v1. */
export async function data<T>(path: string, init?: RequestInit): Promise<T> {
  return ((await request('/api/v1' + path, init)) as { data: T }).data;
}

// ---- who I am ----

export interface Me {
  name: string;
  uid: string;
  roles: string[];
  permissions: string[];
  totp_required?: boolean; // the roles ask for a second factor; nothing is permitted before it is set up
  expiring?: number; // own service tokens that end within 30 days
  token?: { type?: string; jti?: string; expires?: number | null; expires_in?: number | null; actor?: string; impersonated_by?: string };
}

export const whoami = (): Promise<Me> => data<Me>('/whoami');

// ---- jobs ----

export interface Resource {
  hostname: string;
  hwthreads?: number[];
  accelerators?: string[];
}

export interface MetricStatistics {
  unit?: Unit;
  avg: number | null;
  min: number | null;
  max: number | null;
}

export interface Job {
  id: number;
  jobId: number;
  arrayJobId?: number;
  cluster: string;
  subCluster?: string;
  partition?: string;
  user: string;
  project: string;
  jobState: string;
  startTime: number;
  submitTime?: number;
  duration: number;
  walltime?: number;
  requestedMemory?: number;
  numNodes: number;
  numHwthreads?: number;
  numAcc?: number;
  shared?: string;
  smt?: number;
  resources: Resource[];
  metaData?: Record<string, string> | null;
  tags?: { id?: number; type: string; name: string; scope?: string }[] | null;
  statistics?: Record<string, MetricStatistics> | null;
  footprint?: Record<string, number> | null;
  energy?: number;
}

export interface JobPage {
  jobs: Job[];
  total: number;
}

export async function listJobs(query: URLSearchParams, signal?: AbortSignal): Promise<JobPage> {
  const page = await get<{ jobs: Job[] | null; total?: number }>('/api/jobs/?' + query, signal);
  const jobs = page.jobs ?? [];
  return { jobs, total: page.total ?? jobs.length };
}

/** countJobs asks how many jobs match, without asking for them. */
export async function countJobs(query: Record<string, string | string[]>): Promise<number> {
  const q = new URLSearchParams({ 'items-per-page': '1' });
  for (const [key, value] of Object.entries(query)) {
    for (const v of [value].flat()) q.append(key, v);
  }
  return (await listJobs(q)).total;
}

export async function getJob(id: string, signal?: AbortSignal): Promise<Job> {
  return (await get<{ Meta: Job }>(`/api/jobs/${encodeURIComponent(id)}`, signal)).Meta;
}

export type Samples = (number | null)[];

export interface Series {
  hostname: string;
  id?: string | number;
  statistics?: { min: number | null; avg: number | null; max: number | null };
  data: Samples;
}

export interface MetricData {
  unit?: Unit;
  timestep: number;
  series: Series[];
  statisticsSeries?: { min: Samples; mean: Samples; median?: Samples; max: Samples } | null;
}

export interface JobMetric {
  name: string;
  scope: string;
  metric: MetricData;
}

export interface MetricsWanted {
  metrics?: string[];
  scope: string;
  points: number;
}

export async function jobMetrics(id: number | string, want: MetricsWanted, signal?: AbortSignal): Promise<JobMetric[]> {
  const q = new URLSearchParams({ scope: want.scope, points: String(want.points) });
  for (const m of want.metrics ?? []) q.append('metric', m);
  const reply = await get<{ data: { jobMetrics: JobMetric[] | null } | null; error: { message: string } | null }>(
    `/api/jobs/metrics/${encodeURIComponent(id)}?${q}`,
    signal,
  );
  if (reply.error) throw new ApiError(200, reply.error.message);
  return reply.data?.jobMetrics ?? [];
}

// ---- clusters ----

export interface Limits {
  footprint?: string;
  lowerIsBetter?: boolean;
  peak?: number;
  normal?: number;
  caution?: number;
  alert?: number;
}

export interface MetricConfig extends Limits {
  name: string;
  unit?: Unit;
  scope: string;
  timestep: number;
  aggregation?: string;
  subClusters?: (Limits & { name: string; remove?: boolean })[] | null;
}

export interface SubCluster {
  name: string;
  nodes: string;
  processorType?: string;
  socketsPerNode?: number;
  coresPerSocket?: number;
  threadsPerCore?: number;
}

export interface Cluster {
  name: string;
  metricConfig: MetricConfig[];
  subClusters: SubCluster[];
}

export async function listClusters(): Promise<Cluster[]> {
  return (await get<{ clusters: Cluster[] | null }>('/api/clusters/')).clusters ?? [];
}

// ---- nodes ----

export interface Node {
  uid: string;
  name: string;
  cluster?: string;
  subcluster?: string;
  description?: string;
  type?: string;
  mac?: string;
  ip?: string;
  index?: number | null;
  groups?: string[] | null;
  attributes?: Record<string, string> | null;
  hardware?: Record<string, string> | null;
  status?: Record<string, string> | null;
  last_modified?: number | null;
  last_modified_by?: string;
}

/** Attribute is an effective attribute and where it comes from. */
export interface Attribute {
  value: string;
  from: string;
  shadowed?: { value: string; from: string }[] | null;
}

/** records accepts both forms of a listing: an object keyed by UID, and an array. */
export function records<T extends { uid: string }>(listing: T[] | Record<string, T>): T[] {
  if (Array.isArray(listing)) return listing;
  return Object.entries(listing).map(([uid, record]) => ({ ...record, uid }));
}

export const listNodes = async (): Promise<Node[]> => records(await data<Node[] | Record<string, Node>>('/nodes?as=objects'));

export const nodeAttributes = (uid: string): Promise<Record<string, Attribute>> =>
  data(`/node/${encodeURIComponent(uid)}/attributes?explain=1`);

export interface Latest {
  metric: string;
  value: number | null;
}

/** latestOnNode returns the newest sample of each metric within the last minutes. */
export async function latestOnNode(cluster: string, host: string, metrics: string[], now: number): Promise<Latest[]> {
  const queries = metrics.map((metric) => ({ metric, host }));
  const body = { cluster, from: now - 600, to: now, 'with-padding': false, queries };
  type Result = { data?: Samples | null; error?: string };
  const reply = (await request('/api/query/?version=v2', sending('POST', body))) as { results: (Result[] | null)[] };
  return metrics.map((metric, i) => {
    const samples = reply.results[i]?.[0]?.data ?? [];
    return { metric, value: samples.findLast((v) => v !== null) ?? null };
  });
}
