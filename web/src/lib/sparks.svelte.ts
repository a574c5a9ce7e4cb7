// The samples behind the small plots of a list: asked for only for rows in view, a few requests at a time.
import { jobMetrics, type Job, type MetricData } from './api';
import { Queue } from './queue';

/** Samples of a job by metric; a metric that is not in it was not reported. */
type Loaded = ReadonlyMap<string, MetricData>;

interface Entry {
  metrics: Loaded;
  key: string; // the metrics that were asked for
  at: number; // milliseconds
}

const points = 60;
const freshFor = 30_000;

export class Sparks {
  #entries = $state.raw<ReadonlyMap<number, Entry>>(new Map());
  readonly #queue = new Queue<number>(4);

  get(job: Job): Loaded | undefined {
    return this.#entries.get(job.id)?.metrics;
  }

  /** want asks for the jobs in view and forgets about the requests for others. */
  want(jobs: readonly Job[], metricsOf: (job: Job) => string[]): void {
    const inView = new Set(jobs.map((j) => j.id));
    this.#queue.keep((id) => inView.has(id));
    for (const job of jobs) {
      const metrics = metricsOf(job);
      const key = metrics.join();
      if (metrics.length > 0 && !this.#isFresh(job, key)) {
        this.#queue.add(job.id, (signal) => this.#load(job, metrics, key, signal));
      }
    }
  }

  #isFresh(job: Job, key: string): boolean {
    const entry = this.#entries.get(job.id);
    if (!entry || entry.key !== key) return false;
    return job.jobState !== 'running' || Date.now() - entry.at < freshFor;
  }

  async #load(job: Job, metrics: string[], key: string, signal: AbortSignal): Promise<void> {
    let list: Awaited<ReturnType<typeof jobMetrics>> = [];
    try {
      list = await jobMetrics(job.id, { metrics, scope: 'node', points }, signal);
    } catch {
      // No samples to be had now: the cell says so, and asks again with the next refresh of a running job.
      if (signal.aborted) return;
    }
    const loaded = new Map(list.filter((m) => m.scope === 'node').map((m) => [m.name, m.metric]));
    this.#entries = new Map(this.#entries).set(job.id, { metrics: loaded, key, at: Date.now() });
  }
}
