// The clusters, asked for once.
import { listClusters, type Cluster, type MetricConfig } from './api';
import { metricsOf } from './catalogue';

class Clusters {
  list = $state.raw<Cluster[]>([]);
  loaded = $state(false);
  #asked: Promise<void> | undefined;
  readonly #cache = new Map<string, Map<string, MetricConfig>>();
  #cachedFor: Cluster[] | undefined;

  load(): Promise<void> {
    this.#asked ??= listClusters().then(
      (list) => {
        this.list = list;
        this.loaded = true;
      },
      () => {
        // Without it pages show names and numbers, but neither units nor marks. The next page asks again.
        this.loaded = true;
        this.#asked = undefined;
      },
    );
    return this.#asked;
  }

  /** metrics returns what is measured on a sub-cluster. */
  metrics(cluster: string, subCluster: string | undefined): readonly MetricConfig[] {
    return [...this.#bySubCluster(cluster, subCluster).values()];
  }

  /** metric returns one metric of a sub-cluster, undefined when it is not measured there. */
  metric(name: string, cluster: string, subCluster: string | undefined): MetricConfig | undefined {
    return this.#bySubCluster(cluster, subCluster).get(name);
  }

  #bySubCluster(cluster: string, subCluster: string | undefined): Map<string, MetricConfig> {
    const list = this.list;
    if (this.#cachedFor !== list) {
      this.#cache.clear();
      this.#cachedFor = list;
    }
    const key = JSON.stringify([cluster, subCluster]);
    let found = this.#cache.get(key);
    if (!found) {
      const metrics = metricsOf(
        list.find((c) => c.name === cluster),
        subCluster,
      );
      found = new Map(metrics.map((m) => [m.name, m]));
      this.#cache.set(key, found);
    }
    return found;
  }
}

export const clusters = new Clusters();
