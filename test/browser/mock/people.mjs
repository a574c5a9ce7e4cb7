// Made-up tokens, keys, sessions, roles and audit records, for working on the pages that show them.
import { createHash } from 'node:crypto';
import { now, permissions, users } from './data.mjs';

const day = 86_400;
const hash = (text) => createHash('sha256').update(String(text)).digest('hex');
const kinds = ['service', 'access', 'impersonation', 'refresh'];
const names = ['slurm-adapter', 'collector', 'nightly report', 'grafana', 'ci', '', 'backup <img src=x onerror=alert(1)>'];

export const keys = [
  { kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k', state: 'active', origin: 'generated', created: now() - 40 * day, activated: now() - 30 * day, retired: null },
  { kid: 'Zb0mG9SmyYVDXqVbzHgVyUnFy1OaSLKT1nSMqYqKXhI', state: 'retired', origin: 'environment', created: now() - 400 * day, activated: now() - 400 * day, retired: now() - 30 * day },
];

export const tokens = Array.from({ length: 140 }, (_, i) => {
  const user = i % 11 === 0 ? 'demo' : users[(i * 7) % users.length].name;
  const life = [3600 * 8, day, 7 * day, 30 * day, 365 * day][i % 5];
  const issued = now() - i * 9000 - 600;
  return {
    jti: hash(`jti${i}`).slice(0, 22), type: kinds[i % 11 === 0 ? 0 : i % 4], user, issued_by: i % 4 === 2 ? 'demo' : user, kid: keys[i % 17 === 0 ? 1 : 0].kid,
    name: names[i % names.length], purpose: i % 3 ? 'reports what the scheduler does' : '', issued, expires: issued + life, last_used: i % 5 ? now() - i * 300 : null, last_addr: i % 5 ? `10.28.1.${i}` : '',
    revoked: i % 23 === 5 ? now() - 500 : null, revoked_by: i % 23 === 5 ? 'demo' : '',
    ...(i % 6 === 0 ? { read_only: true, nodes: 'f[0101-0116]' } : {}), ...(i % 7 === 0 ? { cidr: ['10.28.0.0/16'], permissions: ['NodesRead', 'JobsRead'], clusters: ['fritz'] } : {}),
  };
});

const dead = (t) => t.revoked || t.expires < now();
export function listTokens(q, me) {
  const state = q.get('state') ?? 'live';
  const within = { '1d': day, '7d': 7 * day, '30d': 30 * day }[q.get('expiring')];
  let list = tokens.filter(
    (t) =>
      (q.get('all') || q.has('user') || q.has('issuer') || t.user === me.name) && (!q.has('user') || t.user === q.get('user')) && (!q.has('issuer') || t.issued_by === q.get('issuer')) &&
      (!q.has('type') || t.type === q.get('type')) && (!q.has('key') || t.kid === q.get('key')) && (!within || (t.expires > now() && t.expires < now() + within)) &&
      (state === 'any' || (state === 'live' && !dead(t)) || (state === 'revoked' && t.revoked) || (state === 'expired' && !t.revoked && dead(t))),
  );
  if (q.has('after')) list = list.slice(list.findIndex((t) => t.jti === q.get('after')) + 1);
  return list.slice(0, Number(q.get('limit') ?? 100));
}

const agents = ['Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0', 'Mozilla/5.0 (Macintosh; Intel Mac OS X 14_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15', '<script>alert(1)</script>'];
export const sessions = agents.map((agent, i) => ({ id: `s${i}`, user: 'demo', method: i === 1 ? 'oidc' : 'password', created: now() - i * 40000 - 900, seen: now() - i * 7000, expires: now() + 7 * day, addr: `192.0.2.${i + 7}`, agent, current: i === 0 }));

const role = (name, display, description, list, more = {}) => ({ uid: name, name, display, description, permissions: list, delegates: [], nodes: '', max_lifetime: 0, system: true, ...more });
const some = (pattern) => permissions.filter((p) => pattern.test(p));
export const roles = [
  role('user', 'User', 'Reads his own jobs.', ['ClustersRead', 'JobsRead']),
  role('support', 'Support', 'Reads every job, changes nothing.', some(/Read/)),
  role('admin', 'Administrator', 'Everything on the side of the jobs.', permissions),
  role('role.FullAdmin', 'Full administrator', 'Everything.', permissions),
  role('role.Manager', 'Manager', 'Creates people and hands on their rights.', some(/Admins|Read/), { delegates: some(/Write/) }),
  role('role.NoAccess', 'No access', 'Takes everything away.', []),
  role('role.NightShift', 'Night shift', 'May power nodes of the first rack.', ['NodesRead', 'NodesPowerControl'], { system: false, nodes: 'f[0101-0116]', max_lifetime: 43200 }),
];

const actions = [['login', 'user/demo'], ['token.create', 'token/9c1f'], ['node.update', 'node/f0101'], ['user.create', 'user/<b>bold</b>'], ['token.use', 'token/77aa']];
export const audit = Array.from({ length: 260 }, (_, i) => {
  const [action, object] = actions[i % actions.length];
  const outcome = i % 7 === 3 ? 'refused' : i % 31 === 4 ? 'failed' : 'done';
  return {
    seq: i + 1, ts: new Date((now() - (260 - i) * 420) * 1000).toISOString().replace('Z', '000Z'), actor: i % 4 ? 'demo' : 'admin1', subject: i % 9 === 2 ? 'ProdEng' : i % 4 ? 'demo' : 'admin1', token_id: i % 3 ? hash(i).slice(0, 22) : '', via: i % 3 ? 'token' : 'session',
    addr: `10.28.1.${i % 60}`, request_id: hash(i).slice(0, 16), action, object, outcome, reason: outcome === 'done' ? '' : 'the permission NodesWrite is missing', details: i % 2 ? { roles: 'user,manager', purpose: '<img src=x onerror=alert(1)>' } : null, hash: hash('r' + i),
  };
});
export function listAudit(q) {
  const list = audit.filter(
    (r) =>
      (!q.has('who') || r.actor === q.get('who') || r.subject === q.get('who')) && (!q.has('outcome') || r.outcome === q.get('outcome')) &&
      (!q.has('action') || (q.get('action').endsWith('.') ? r.action.startsWith(q.get('action')) : r.action === q.get('action'))) &&
      (!q.has('object') || r.object === q.get('object')) && (!q.has('before') || r.seq < q.get('before')) && (!q.has('after') || r.seq > q.get('after')) && (!q.has('since') || Date.parse(r.ts) / 1000 >= q.get('since')),
  );
  return list.toReversed().slice(0, Number(q.get('limit') ?? 100));
}

let factor = false;

/** answer returns the data of a request about people, undefined for all others. */
export async function answer(method, path, q, body, me) {
  const wish = async () => JSON.parse((await body()) || '{}');
  const one = (pattern) => pattern.exec(path)?.[1];
  if (path === '/login/methods') return { password: true, oidc: { label: 'Example University' } };
  if (path === '/tokens' && method === 'GET') return listTokens(q, me);
  if (path === '/tokens/revoke') {
    const w = await wish();
    const hit = tokens.filter((t) => !dead(t) && (w.all || t.user === w.user || t.issued_by === w.issuer || t.kid === w.key));
    if (!w.dry_run) for (const t of hit) t.revoked = now();
    return { count: hit.length };
  }
  if (path === '/tokens/inspect') return { what: 'a service token of user "demo"', signed: true, valid: true, claims: { iss: 'bridgehead', sub: 'demo', jti: tokens[0].jti, iat: now() - 900, exp: now() + 900, roles: ['admin'], act: { sub: 'admin1' } }, token: tokens[0] };
  const jti = one(/^\/token\/(\w+)$/);
  const token = tokens.find((t) => t.jti === jti);
  if (token && method === 'PATCH') return Object.assign(token, await wish());
  if (token && method === 'DELETE') return (token.revoked = now()), jti;
  if (path === '/keys') return keys;
  if (path === '/keys/rotate') return (keys[0].state = 'retired'), keys.unshift({ ...keys[0], kid: hash(now()).slice(0, 43), state: 'active', activated: now(), created: now() }), true;
  if (one(/^\/key\/(.+)$/)) return q.has('dry_run') ? 9 : keys.splice(keys.findIndex((k) => k.kid === one(/^\/key\/(.+)$/)), 1), true;
  if (path === '/sessions') return method === 'DELETE' ? sessions.splice(1) && true : sessions;
  if (one(/^\/session\/(.+)$/)) return sessions.splice(sessions.findIndex((s) => s.id === one(/^\/session\/(.+)$/)), 1), true;
  if (path === '/roles/meta') return { permissions: [...permissions].sort(), catalogue: [...permissions].sort().map((name) => ({ name, description: `What ${name} allows` })) };
  if (path === '/roles' && method === 'GET') return roles;
  if (path === '/roles') return roles.push({ uid: 'x', ...role('', '', '', []), ...(await wish()), system: false }), true;
  const r = roles.findIndex((x) => x.name === one(/^\/role\/(.+)$/));
  if (r >= 0) return method === 'DELETE' ? roles.splice(r, 1) && true : Object.assign(roles[r], await wish());
  if (path === '/audit') return listAudit(q);
  if (path === '/audit/verify') return { good: true, walked: audit.length, reason: '', head: { seq: 260, hash: hash('head') } };
  if (path === '/admins/totp') return users.slice(0, 2).map((u) => ({ uid: u.uid, since: now() - 30 * day }));
  if (/totp$/.test(path)) return method === 'GET' ? { enabled: factor, since: factor ? now() - 60 : null, recovery_left: 8 } : method === 'DELETE' ? ((factor = false), true) : { secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', uri: 'otpauth://totp/head1:demo?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP' };
  if (/confirm$/.test(path)) return (factor = true), { recovery_codes: Array.from({ length: 10 }, (_, i) => hash(i).slice(0, 10)) };
  return undefined;
}
