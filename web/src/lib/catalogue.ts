// What is measured where: the metrics of a cluster with the marks of a sub-cluster.
import type { Cluster, MetricConfig } from './api';

/** metricsOf returns the metrics of a sub-cluster, its overrides applied and its removals left out. */
export function metricsOf(cluster: Cluster | undefined, subCluster: string | undefined): MetricConfig[] {
  const list: MetricConfig[] = [];
  for (const m of cluster?.metricConfig ?? []) {
    const own = m.subClusters?.find((s) => s.name === subCluster);
    if (own?.remove) continue;
    if (!own) {
      list.push(m);
      continue;
    }
    // An override replaces all marks, also those that it does not name.
    const { footprint, lowerIsBetter, peak, normal, caution, alert } = own;
    list.push({ ...m, footprint, lowerIsBetter, peak, normal, caution, alert } as MetricConfig);
  }
  return list;
}

const fromCoarse = ['node', 'socket', 'memoryDomain', 'core', 'hwthread'];

/** scopesOf returns the scopes at which a metric can be shown, coarsest first. */
export function scopesOf(m: MetricConfig): string[] {
  if (m.scope === 'accelerator') return ['node', 'accelerator'];
  const finest = fromCoarse.indexOf(m.scope);
  return fromCoarse.slice(0, Math.max(1, finest + 1)).filter((s) => s !== 'memoryDomain' || m.scope === 'memoryDomain');
}

const telling = ['cpu_load', 'flops_any', 'mem_bw', 'mem_used', 'acc_utilization', 'cpu_user'];

/** tellingMetrics chooses the metrics that say most about a job, for small plots in a list. */
export function tellingMetrics(clusters: readonly Cluster[], most = 4): string[] {
  const all = clusters.flatMap((c) => c.metricConfig);
  const names = [...new Set(all.map((m) => m.name))];
  const rank = (name: string): number => {
    const known = telling.indexOf(name);
    const footprint = all.some((m) => m.name === name && m.footprint);
    return (known < 0 ? telling.length : known) + (footprint ? 0 : telling.length);
  };
  return names.sort((a, b) => rank(a) - rank(b)).slice(0, most);
}
