import { expect, test } from 'vitest';
import type { Cluster, MetricConfig } from './api';
import { metricsOf, scopesOf, tellingMetrics } from './catalogue';

const metric = (name: string, more: Partial<MetricConfig> = {}): MetricConfig => ({ name, scope: 'node', timestep: 60, ...more });
const cluster = (...metricConfig: MetricConfig[]): Cluster => ({ name: 'alpha', metricConfig, subClusters: [] });

test('an override replaces every mark', () => {
  const c = cluster(metric('mem', { peak: 256, alert: 240, subClusters: [{ name: 'fat', peak: 1024 }] }));
  expect(metricsOf(c, 'fat')[0]).toMatchObject({ peak: 1024, alert: undefined });
  expect(metricsOf(c, 'main')[0]).toMatchObject({ peak: 256, alert: 240 });
});

test('a removed metric is not there', () => {
  const c = cluster(metric('gpu', { subClusters: [{ name: 'cpu', remove: true }] }));
  expect(metricsOf(c, 'cpu')).toEqual([]);
});

test('scopes go from the node to where it is measured', () => {
  expect(scopesOf(metric('a'))).toEqual(['node']);
  expect(scopesOf(metric('a', { scope: 'hwthread' }))).toEqual(['node', 'socket', 'core', 'hwthread']);
  expect(scopesOf(metric('a', { scope: 'accelerator' }))).toEqual(['node', 'accelerator']);
});

test('the footprint says most about a job', () => {
  const c = cluster(metric('ipc'), metric('mem_bw', { footprint: 'avg' }), metric('cpu_load', { footprint: 'avg' }), metric('cpu_user'));
  expect(tellingMetrics([c], 3)).toEqual(['cpu_load', 'mem_bw', 'cpu_user']);
});
