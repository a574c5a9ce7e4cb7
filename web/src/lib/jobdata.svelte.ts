// One job with its samples: node scope for all metrics at once, finer scopes for those that are asked for.
import { getJob, jobMetrics, type Job, type MetricData } from './api';

const points = 300;

export class JobData {
  job = $state.raw<Job | undefined>();
  failure = $state('');
  loaded = $state(false); // the samples at node scope have come, or will not
  #samples = $state.raw<ReadonlyMap<string, MetricData>>(new Map());
  readonly #abort = new AbortController();
  readonly #id: string;

  constructor(id: string) {
    this.#id = id;
  }

  get(metric: string, scope: string): MetricData | undefined {
    return this.#samples.get(scope + '/' + metric);
  }

  /** load asks for the job, and for the samples of every scope in finer. */
  async load(finer: ReadonlyMap<string, string[]>): Promise<void> {
    const { signal } = this.#abort;
    const job = getJob(this.#id, signal).then((j) => (this.job = j));
    const scopes = [this.loadScope('node', undefined), ...[...finer].map(([scope, metrics]) => this.loadScope(scope, metrics))];
    const results = await Promise.allSettled([job, ...scopes]);
    if (signal.aborted) return;
    const failed = results.find((r) => r.status === 'rejected');
    this.failure = failed ? (failed.reason as Error).message : '';
    this.loaded = true;
  }

  async loadScope(scope: string, metrics: string[] | undefined): Promise<void> {
    const list = await jobMetrics(this.#id, metrics ? { metrics, scope, points } : { scope, points }, this.#abort.signal);
    const next = new Map(this.#samples);
    // A metric that cannot be shown at that scope is answered with another one, or not at all.
    for (const name of metrics ?? []) next.set(scope + '/' + name, { timestep: 60, series: [] });
    for (const m of list) next.set(m.scope + '/' + m.name, m.metric);
    this.#samples = next;
  }

  close(): void {
    this.#abort.abort();
  }
}
