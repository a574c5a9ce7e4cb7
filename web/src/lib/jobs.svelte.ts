// The listing of the jobs page: pages of rows, asked for when they come into view, kept fresh without moving.
import { listJobs, type Job } from './api';
import { defaultSort, toRequest, type JobFilter, type Paging } from './filter';
import { pagesOf } from './window';

const size = 50;

const now = (): number => Math.floor(Date.now() / 1000);

export class JobList {
  total = $state(0);
  /** fresh counts jobs that began since the listing was made. They are shown when asked for, so that no row moves. */
  fresh = $state(0);
  loaded = $state(false);
  failure = $state('');
  #pages = $state.raw<ReadonlyMap<number, Job[]>>(new Map());
  #filter: JobFilter | undefined;
  #key = '';
  #until: number | undefined;
  #range: [number, number] = [0, 0];
  #abort = new AbortController();
  readonly #asked = new Set<number>();

  /** show begins a new listing, unless it is the same one. */
  async show(filter: JobFilter): Promise<void> {
    const key = JSON.stringify(filter);
    if (key === this.#key) return;
    this.#key = key;
    this.#filter = filter;
    await this.restart();
  }

  /** restart asks for the listing from its beginning. What is shown stays until the answer is there. */
  async restart(): Promise<void> {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#asked.clear();
    this.#until = undefined;
    this.#range = [0, size];
    await this.#load(1, true);
  }

  row(index: number): Job | undefined {
    return this.#pages.get(Math.floor(index / size) + 1)?.[index % size];
  }

  /** want makes sure that the rows from first up to last are there or on their way. */
  want(first: number, last: number): void {
    this.#range = [first, last];
    for (const page of pagesOf(first, last, size)) {
      if (!this.#pages.has(page) && !this.#asked.has(page)) void this.#load(page, false);
    }
  }

  /** refresh asks again for what is in view, and whether there is something new. */
  async refresh(): Promise<void> {
    const pages = pagesOf(...this.#range, size);
    await Promise.all([...pages.map((p) => this.#load(p, false)), this.#countFresh()]);
  }

  async #load(page: number, restart: boolean): Promise<void> {
    if (!this.#filter) return;
    const { signal } = this.#abort;
    this.#asked.add(page);
    const paging: Paging = this.#until === undefined ? { page, size } : { page, size, until: this.#until };
    try {
      const answer = await listJobs(toRequest(this.#filter, paging, now()), signal);
      if (signal.aborted) return;
      if (restart) this.#anchor(answer.jobs);
      this.#pages = new Map([...(restart ? [] : this.#pages), [page, answer.jobs]]);
      this.total = answer.total;
      this.failure = '';
    } catch (err) {
      if (signal.aborted) return;
      this.failure = (err as Error).message;
    } finally {
      if (!signal.aborted) {
        this.#asked.delete(page);
        this.loaded = true;
      }
    }
  }

  // Pages are counted from the newest job at the beginning; jobs that come later would push rows from page to page.
  #anchor(jobs: Job[]): void {
    const newest = jobs.reduce((most, j) => Math.max(most, j.startTime), 0);
    this.#until = this.#filter?.sort === defaultSort && newest > 0 ? newest : now();
    this.fresh = 0;
  }

  async #countFresh(): Promise<void> {
    if (!this.#filter || this.#until === undefined) return;
    const { signal } = this.#abort;
    const query = toRequest(this.#filter, { page: 1, size: 1, after: this.#until + 1 }, now());
    // A count that fails is asked for again in a moment.
    const answer = await listJobs(query, signal).catch(() => undefined);
    if (answer && !signal.aborted) this.fresh = answer.total;
  }
}
