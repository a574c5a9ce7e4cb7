// A made-up site for working on the pages without a server: two clusters, their nodes, users, and some thousand jobs.
// Everything follows from a seed and the time, so that the same picture comes out again.

export const now = () => Math.floor(Date.now() / 1000);
const born = now();

/** random returns a generator of numbers in [0, 1) for a seed. */
function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
const pick = (r, list) => list[Math.floor(r() * list.length)];
const hex = (r, n) => Array.from({ length: n }, () => Math.floor(r() * 16).toString(16)).join('');

const unit = (base, prefix) => (prefix ? { base, prefix } : { base });
const metric = (name, scope, u, [peak, normal, caution, alert], more = {}) => ({ name, scope, unit: u, timestep: 60, aggregation: 'avg', peak, normal, caution, alert, ...more });

const common = [
  metric('cpu_load', 'node', unit(''), [72, 72, 36, 20], { footprint: 'avg' }),
  metric('cpu_user', 'hwthread', unit(''), [100, 50, 20, 10]),
  metric('flops_any', 'hwthread', unit('Flops/s', 'G'), [5600, 1000, 200, 50], { footprint: 'avg', aggregation: 'sum' }),
  metric('mem_bw', 'socket', unit('B/s', 'G'), [350, 100, 50, 10], { footprint: 'avg', aggregation: 'sum' }),
  metric('mem_used', 'node', unit('B', 'G'), [256, 128, 200, 240], { footprint: 'max', lowerIsBetter: true }),
  metric('clock', 'hwthread', unit('Hz', 'M'), [3000, 2400, 1800, 1200]),
  metric('ipc', 'hwthread', unit('IPC'), [4, 2, 1, 0.5]),
  metric('cpu_power', 'socket', unit('W'), [500, 250, 100, 50], { aggregation: 'sum' }),
  metric('ib_recv', 'node', unit('B/s', 'M'), [12500, 500, 0, 0]),
  metric('ib_xmit', 'node', unit('B/s', 'M'), [12500, 500, 0, 0]),
  metric('nfs4_total', 'node', unit('B/s', 'M'), [1000, 50, 0, 0]),
];
const gpu = [
  metric('acc_utilization', 'accelerator', unit('%'), [100, 80, 50, 20], { footprint: 'avg' }),
  metric('acc_mem_used', 'accelerator', unit('B', 'G'), [80, 40, 0, 0], { aggregation: 'sum' }),
  metric('acc_power', 'accelerator', unit('W'), [400, 200, 50, 20], { aggregation: 'sum' }),
];

export const clusters = [
  { name: 'fritz', metricConfig: common, subClusters: [{ name: 'main', nodes: 'f[0101-0164]', socketsPerNode: 2, coresPerSocket: 36, threadsPerCore: 1 }, { name: 'spr1tb', nodes: 'f[2101-2116]', socketsPerNode: 2, coresPerSocket: 52, threadsPerCore: 1 }] },
  { name: 'alex', metricConfig: [...common.slice(0, 5), ...gpu, ...common.slice(5, 8)], subClusters: [{ name: 'a100', nodes: 'a[0601-0620]', socketsPerNode: 2, coresPerSocket: 64, threadsPerCore: 1 }] },
];

const hostsOf = {
  main: Array.from({ length: 64 }, (_, i) => `f0${101 + i}`),
  spr1tb: Array.from({ length: 16 }, (_, i) => `f${2101 + i}`),
  a100: Array.from({ length: 20 }, (_, i) => `a0${601 + i}`),
};

const people = ['amelie', 'bruno', 'chiara', 'dmitri', 'elif', 'farid', 'greta', 'hana', 'ivan', 'jonas', 'kamila', 'luca'];
const projects = ['k101de', 'b118dc', 'n104cb', 'v106be'];
const names = ['lbm-channel-re5600', 'gromacs-npt', 'vasp-relax', 'llama-finetune', 'openfoam-motorbike', 'quantum-espresso', 'namd-stmv', 'python', 'ansys-fluent', 'resnet50-ddp', 'cp2k-h2o-256', 'stream-triad', 'alphafold', 'wrf-eu-3km'];
const ends = ['completed', 'completed', 'completed', 'completed', 'completed', 'completed', 'failed', 'cancelled', 'timeout', 'out_of_memory', 'node_fail'];

function makeJob(i) {
  const r = random(i * 7919 + 13);
  const onGPU = r() < 0.35;
  const cluster = onGPU ? 'alex' : 'fritz';
  const subCluster = onGPU ? 'a100' : r() < 0.85 ? 'main' : 'spr1tb';
  const hosts = hostsOf[subCluster];
  const numNodes = Math.min(hosts.length, pick(r, onGPU ? [1, 1, 1, 1, 2] : [1, 1, 1, 2, 2, 4, 8, 12, 32]));
  const first = Math.floor(r() * (hosts.length - numNodes + 1));
  const running = i < 34;
  const age = running ? 200 + Math.floor(r() ** 2 * 70000) : i * 190 + Math.floor(r() * 180) + 6000;
  const walltime = pick(r, [3600, 7200, 21600, 43200, 86400]);
  const startTime = born - age;
  const jobState = running ? 'running' : pick(r, ends);
  const stop = jobState === 'timeout' ? walltime : Math.floor(walltime * (0.05 + 0.9 * r()));
  const numAcc = onGPU ? numNodes * pick(r, [1, 4, 8]) : 0;
  return {
    id: 5000 - i, jobId: 1843700 - i, cluster, subCluster, partition: onGPU ? 'a100' : numNodes > 1 ? 'multinode' : 'singlenode',
    user: i % 9 === 4 ? 'demo' : pick(r, people), project: pick(r, projects), jobState, startTime, submitTime: startTime - Math.floor(r() * 9000),
    duration: running ? age : Math.min(stop, age), walltime: running ? Math.max(walltime, age + 1800) : walltime,
    requestedMemory: 192000, numNodes, numHwthreads: numNodes * (onGPU ? 128 : 72), ...(numAcc ? { numAcc } : {}), shared: 'none',
    monitoringStatus: running ? 1 : 3, resources: hosts.slice(first, first + numNodes).map((hostname) => ({ hostname })),
    metaData: { jobName: pick(r, onGPU ? names.filter((n) => /llama|resnet|alpha|gromacs|namd/.test(n)) : names), jobScript: '#!/bin/bash -l\n#SBATCH --nodes=' + numNodes + '\n#SBATCH --time=24:00:00\n\nmodule load intelmpi\nsrun ./solver input.prm\n' },
    tags: i % 7 === 0 ? [{ id: 1, type: 'app', name: 'gromacs', scope: 'global' }] : [], statistics: null, energy: running ? 0 : numNodes * (stop / 3600) * 0.42,
  };
}

export const jobs = Array.from({ length: 2400 }, (_, i) => makeJob(i)).sort((a, b) => b.startTime - a.startTime);

export function listJobs(q, me) {
  const all = q.getAll.bind(q);
  const range = /^(\d+)-(\d+)$/.exec(q.get('start-time') ?? '');
  const search = (q.get('search') ?? '').toLowerCase();
  let list = jobs.filter(
    (j) =>
      (me.sees || j.user === me.name) &&
      (!q.has('state') || all('state').includes(j.jobState)) &&
      (!q.has('user') || all('user').includes(j.user)) &&
      (!q.has('cluster') || all('cluster').includes(j.cluster)) &&
      (!q.has('project') || all('project').includes(j.project)) &&
      (!q.has('node') || j.resources.some((r) => r.hostname === q.get('node'))) &&
      (!range || (j.startTime >= range[1] && j.startTime <= range[2])) &&
      (!search || j.metaData.jobName.includes(search) || String(j.jobId) === search || j.user === search || j.project === search),
  );
  const sort = q.get('sort') ?? '-startTime';
  const key = sort.replace('-', '');
  list = list.toSorted((a, b) => (sort.startsWith('-') ? b[key] - a[key] : a[key] - b[key]));
  const size = Number(q.get('items-per-page') ?? 25);
  const page = Number(q.get('page') ?? 1);
  return { jobs: list.slice((page - 1) * size, page * size).map(fresh), items: size, page, total: list.length };
}

export function fresh(j) {
  return j.jobState === 'running' ? { ...j, duration: now() - j.startTime } : j;
}

const levels = { cpu_load: 0.95, cpu_user: 0.9, flops_any: 0.18, mem_bw: 0.45, mem_used: 0.4, clock: 0.8, ipc: 0.4, cpu_power: 0.7, ib_recv: 0.1, ib_xmit: 0.1, nfs4_total: 0.02, acc_utilization: 0.85, acc_mem_used: 0.6, acc_power: 0.75 };

function seriesOf(job, config, host, id, points) {
  const r = random(job.id * 31 + config.name.length * 977 + config.name.charCodeAt(0) * 131 + host.charCodeAt(host.length - 1) * 17 + host.charCodeAt(host.length - 2) * 7 + Number(id ?? 0) * 3);
  const length = Math.max(1, Math.floor(fresh(job).duration / 60));
  const every = Math.max(1, Math.ceil(length / points));
  const lazy = job.id % 6 === 0 ? 0.06 : 1;
  const level = config.peak * (levels[config.name] ?? 0.5) * (0.8 + 0.3 * r()) * (config.name.startsWith('mem_used') || config.name === 'clock' ? 1 : lazy);
  const phase = r() * 6;
  const period = 20 + (job.id % 5) * 15;
  const data = [];
  for (let i = 0; i < length; i += every) {
    const ramp = Math.min(1, i / 4);
    const wave = 1 + 0.12 * Math.sin((i / period) * 6.28 + phase) + (i % period < 3 ? -0.35 : 0);
    const v = level * (config.name === 'mem_used' ? 0.5 + 0.5 * Math.min(1, i / 40) : ramp * wave) * (0.96 + 0.08 * r());
    data.push(i > 60 && i < 70 && job.id % 4 === 1 ? null : Math.round(Math.min(v, config.peak) * 1000) / 1000);
  }
  const there = data.filter((v) => v !== null);
  const statistics = { min: Math.min(...there), avg: there.reduce((a, b) => a + b, 0) / (there.length || 1), max: Math.max(...there) };
  return { hostname: host, ...(id === undefined ? {} : { id: String(id) }), statistics, data };
}

export function jobMetrics(job, names, scopes, points) {
  const cluster = clusters.find((c) => c.name === job.cluster);
  const out = [];
  for (const config of cluster.metricConfig) {
    if (names.length && !names.includes(config.name)) continue;
    if (config.name === 'nfs4_total' && job.id % 3 === 0) continue;
    for (const scope of scopes) {
      const parts = { node: [undefined], socket: [0, 1], core: [...Array(72).keys()], hwthread: [...Array(72).keys()], accelerator: [...Array(4).keys()] }[scope] ?? [];
      const share = scope === 'node' || config.aggregation === 'avg' ? 1 : parts.length;
      const series = job.resources.flatMap((r) => parts.map((id) => seriesOf(job, { ...config, peak: config.peak / share }, r.hostname, id, points)));
      const length = Math.max(1, Math.floor(fresh(job).duration / 60));
      out.push({ name: config.name, scope, metric: { unit: config.unit, timestep: 60 * Math.max(1, Math.ceil(length / points)), series } });
    }
  }
  return out;
}

export const nodes = Object.entries(hostsOf).flatMap(([sub, hosts]) =>
  hosts.map((name, i) => {
    const r = random(name.charCodeAt(2) * 100 + i + sub.length);
    const uid = hex(r, 32);
    const luck = r();
    const sched = luck < 0.72 ? 'allocated' : luck < 0.82 ? 'mixed' : luck < 0.94 ? 'idle' : luck < 0.97 ? 'reserved' : 'down';
    return {
      uid, name, description: '', type: 'compute', mac: Array.from({ length: 6 }, () => hex(r, 2)).join(':'), ip: `10.28.${sub === 'a100' ? 6 : 1}.${i + 1}`, index: i,
      cluster: sub === 'a100' ? 'alex' : 'fritz', subcluster: sub,
      attributes: { rack: `r${String(1 + (i >> 4)).padStart(2, '0')}`, slot: String(1 + (i % 16)), ...(i % 5 === 0 ? { _boot_style: 'rwram' } : {}) },
      groups: [hex(random(7), 32)], power_uri: 'ipmi://10.29.1.' + (i + 1), hardware: { cpu_count: sub === 'a100' ? '128' : '72', ram_total: '263853964', model: sub === 'a100' ? 'AMD EPYC 7713' : 'Intel Xeon Platinum 8360Y', vendor: 'Megware' },
      status: { state: sched === 'down' ? 'down' : 'up', sched_state: sched, last_update: String(born - 4) }, last_modified: born - Math.floor(r() * 9e6), last_modified_by: 'admin1', last_modified_on: 'head0',
    };
  }),
);

export const attributesOf = (n) => ({
  ...Object.fromEntries(Object.entries(n.attributes).map(([k, value]) => [k, { value, from: 'node', shadowed: k === '_boot_style' ? [{ value: 'roram', from: 'compute' }] : [] }])),
  _boot_config: { value: 'DefaultBoot', from: 'default', shadowed: [] },
  _status_secs: { value: '10', from: 'default', shadowed: [] },
  scheduler: { value: 'slurm', from: 'compute', shadowed: [] },
  image: { value: 'rocky9-hpc@2026-11', from: 'compute', shadowed: [] },
});

const user = (name, roles, full_name, more = {}) => ({ uid: hex(random([...name].reduce((h, c) => h * 31 + c.charCodeAt(0), 7)), 32), name, full_name, description: '', roles, projects: [], last_login: born - name.charCodeAt(1) * 4000, ...more });
export const users = [
  user('demo', ['admin', 'user', 'role.FullAdmin'], 'Demo Admin'),
  user('admin1', ['role.Manager'], 'Adele Manager'),
  user('ProdEng', ['role.ProductionEngineer'], 'Production Engineering'),
  user('slurm-adapter', ['api'], '', { description: 'Reports jobs of the scheduler', last_login: null }),
  user('support2', ['support'], 'Sam Support'),
  user('old-account', ['user'], 'Left in spring', { disabled: true, last_login: null }),
  ...people.map((p, i) => user(p, i % 5 === 0 ? ['manager', 'user'] : ['user'], p[0].toUpperCase() + p.slice(1) + ' Beispiel', i % 5 === 0 ? { projects: ['k101de'] } : {})),
];

export const permissions = ['AdminsRead', 'AdminsWrite', 'AdminsWriteSelf', 'AttribGroupsRead', 'AttribGroupsWrite', 'BootConfigsRead', 'ClusterRead', 'ImagesRead', 'ImagesWrite', 'NodesRead', 'NodesReadAttribs', 'NodesWrite', 'NodesWriteAttribs', 'NodesPowerControl', 'NodesExecCommand', 'ClustersRead', 'JobsRead', 'JobsReadAll', 'JobsWrite', 'TagsWrite', 'MetricsRead', 'MetricsWrite', 'TokensRead', 'TokensWrite', 'AuditRead', 'CertsRead', 'CertsWrite'];
