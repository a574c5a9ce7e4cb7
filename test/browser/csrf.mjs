// Lures a logged-in user to pages of other origins, which try everything that a browser lets them send to the server:
// every route of its OpenAPI documents, by fetch, by forms, by pictures and by links. Nothing may change.
//
//   TOKEN=... node csrf.mjs BASE_URL USER PASSWORD OUTDIR
//
// The server must be one of its own, on which nobody else changes anything. TOKEN is one of the user's; with it the
// state is read before and after, so that reading it is no session of a browser. BASE_URL must be at 127.0.0.1: the
// attacker is at another port there (the same site, so that the cookie is sent) and at localhost (another site).
import { createServer } from 'node:http';
import { walk } from './walk.mjs';

const [base, user, password, out] = process.argv.slice(2);
const token = process.env.TOKEN;
if (!out || !token) throw new Error('usage: TOKEN=... node csrf.mjs BASE_URL USER PASSWORD OUTDIR');
const { must, newPage, login, run } = await walk(base, out);

const documents = ['/api/openapi.json', '/api/v1/openapi.json', '/access/openapi.json', '/metricstore/openapi.json'];
const changing = new Set(['post', 'put', 'patch', 'delete']);

async function api(path, init = {}) {
  // Connection: close, since the server closes what was quiet for a while, at any moment.
  const reply = await fetch(base + path, { ...init, headers: { Authorization: `Bearer ${token}`, Accept: 'application/json', Connection: 'close', ...init.headers } });
  if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  return (await reply.json()).data;
}
const post = (path, body) => api(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });

/** furnish makes something to destroy, and returns what stands for the parameters in paths. */
async function furnish() {
  const victim = 'bystander';
  await post('/api/v1/admins', { name: victim, roles: ['user'], password: 'a password that is long enough' });
  await post('/api/v1/nodes', { name: 'n1', mac: '00:11:22:33:44:55' });
  await post('/api/v1/attribs', { name: 'g1', attributes: { a: '1' } });
  await post('/api/v1/roles', { name: 'role.Custom', permissions: ['NodesRead'] });
  const minted = await post(`/api/v1/admin/${user}/token`, { lifetime: '1h', name: 'target' });
  const sessions = await api('/api/v1/sessions');
  const keys = await api('/api/v1/keys');
  return { admin: victim, node: 'n1', attrib: 'g1', attribs: 'g1', role: 'role.Custom', token: minted.jti, session: sessions[0]?.id ?? 'none', key: keys[0]?.kid ?? 'none', other: victim };
}

/** routesOf lists every route that the documents have, with a path that means something. */
async function routesOf(names) {
  const routes = [];
  for (const path of documents) {
    const reply = await fetch(base + path);
    if (!reply.ok) throw new Error(`${path}: ${reply.status}`);
    for (const [pattern, item] of Object.entries((await reply.json()).paths)) {
      for (const method of Object.keys(item)) {
        if (!changing.has(method) && method !== 'get') continue;
        const noun = pattern.split('/')[3] ?? '';
        routes.push({ method: method.toUpperCase(), pattern, path: pattern.replace(/\{(\w+)\}/g, (_, p) => encodeURIComponent(p === 'id' || p === 'jti' || p === 'kid' ? (names[noun] ?? '1') : p === 'user' || p === 'name' ? names.other : '1')) });
      }
    }
  }
  return routes;
}

// Bodies that the routes would understand, for those where it matters; all others get the last one.
const bodies = [
  [/^POST .*\/admins$/, { name: 'evil', roles: ['role.FullAdmin'], password: 'evil evil evil evil' }],
  [/^(PATCH|PUT) .*\/admin\//, { full_name: 'Evil', roles: ['role.FullAdmin'] }],
  [/^POST .*\/admin\/[^/]+\/token$/, { lifetime: '1d' }],
  [/^POST .*\/nodes$/, { name: 'evil', mac: '00:11:22:33:44:66' }],
  [/^(PATCH|PUT) .*\/node\/[^/]+$/, { description: 'evil' }],
  [/attributes$/, { evil: '1' }],
  [/^POST .*\/attribs$/, { name: 'evil' }],
  [/^(PATCH|PUT) .*\/attribs?\/[^/]+$/, { description: 'evil' }],
  [/^POST .*\/roles$/, { name: 'role.Evil', permissions: ['NodesRead'] }],
  [/^(PATCH|PUT) .*\/role\//, { description: 'evil', permissions: ['NodesRead'] }],
  [/^PATCH .*\/token\//, { name: 'evil' }],
  [/\/tokens\/revoke$/, { all: true }],
  [/\/impersonate$/, { user: 'bystander' }],
  [/start_job/, { jobId: 666, user: 'evil', project: 'evil', cluster: 'evil', subCluster: 'main', startTime: 1700000000, numNodes: 1, resources: [{ hostname: 'n1' }] }],
  [/./, { username: 'evil', user: 'bystander', role: 'admin', 'add-role': 'admin', password: 'evil evil evil evil' }],
];
const bodyFor = (r) => bodies.find(([p]) => p.test(`${r.method} ${r.path}`))[1];

/** state is everything that an attack could have changed, without what reading it changes. */
async function state() {
  const lists = ['/api/v1/admins', '/api/v1/nodes', '/api/v1/attribs', '/api/v1/roles', '/api/v1/keys', '/api/v1/cluster', '/api/v1/tokens?all=true&state=any&limit=1000', '/api/v1/sessions'];
  const all = {};
  for (const path of lists) all[path] = await api(path);
  const jobs = await fetch(base + '/api/jobs/', { headers: { Authorization: `Bearer ${token}` } });
  all.jobs = await jobs.json();
  const still = new Set(['last_used', 'last_addr', 'seen', 'last_login', 'time']);
  return JSON.stringify(all, (key, value) => (still.has(key) ? undefined : value), 1);
}
const done = async () => (await api('/api/v1/audit?outcome=done&limit=1000')).filter((r) => r.action !== 'audit.read');

/** attacker serves an empty page under every name of this machine. */
async function attacker() {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' });
    response.end('<!doctype html><title>Win a prize</title><body></body>');
  });
  await new Promise((listening) => server.listen(0, listening));
  const { port } = server.address();
  return { origins: [`http://127.0.0.1:${port}`, `http://localhost:${port}`], close: () => server.close() };
}

/** fire runs on the attacker's page, or in a sandboxed frame on it whose origin is null. */
function fire({ base, shots }) {
  const settle = (promise) => promise.then(() => {}, () => {});
  const all = [];
  const frame = () => {
    const f = document.createElement('iframe');
    f.name = 'f' + Math.random();
    document.body.append(f);
    return f;
  };
  const send = (url, body, encoding) =>
    new Promise((loaded) => {
      const target = frame();
      const form = Object.assign(document.createElement('form'), { method: 'post', action: url, target: target.name, enctype: encoding });
      for (const [name, value] of Object.entries(body)) form.append(Object.assign(document.createElement('input'), { type: 'hidden', name, value: typeof value === 'string' ? value : JSON.stringify(value) }));
      document.body.append(form);
      target.onload = () => loaded();
      setTimeout(loaded, 1000);
      form.submit();
    });
  for (const { method, path, body } of shots) {
    const url = base + path;
    const text = JSON.stringify(body);
    if (method === 'GET') {
      all.push(new Promise((loaded) => { const i = new Image(); i.onload = i.onerror = loaded; i.src = url; }));
      all.push(settle(fetch(url, { mode: 'no-cors', credentials: 'include' })));
      continue;
    }
    // What a page may send without asking first.
    all.push(settle(fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include', body: text })));
    all.push(settle(fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include', body: new URLSearchParams(body) })));
    all.push(settle(fetch(url + '?_method=' + method, { method: 'POST', mode: 'no-cors', credentials: 'include', keepalive: true, body: text })));
    all.push(Promise.resolve(navigator.sendBeacon(url, text)));
    all.push(send(url, body, 'application/x-www-form-urlencoded'), send(url, body, 'multipart/form-data'), send(url, { ['{"x":"']: '"}' }, 'text/plain'));
    // What needs the server's consent.
    all.push(settle(fetch(url, { method, credentials: 'include', headers: { 'Content-Type': 'application/json' }, body: text })));
    all.push(settle(fetch(url, { method, credentials: 'include', body: text })));
    // Addresses that change something must not do so when they are merely looked at.
    all.push(new Promise((loaded) => { const i = new Image(); i.onload = i.onerror = loaded; i.src = url; }));
  }
  return Promise.all(all).then(() => {});
}

/** once leaves out further methods of a path: a form knows only one. */
const once = (shots) => [...new Map(shots.map((s) => [s.path, s])).values()];

/** byForm and byLink take the whole window to an address. */
function byForm([url, fields]) {
  const form = Object.assign(document.createElement('form'), { method: 'post', action: url });
  for (const [name, value] of Object.entries(fields)) form.append(Object.assign(document.createElement('input'), { type: 'hidden', name, value: String(value) }));
  document.body.append(form);
  form.submit();
}
function byLink(url) {
  const link = Object.assign(document.createElement('a'), { href: url });
  document.body.append(link);
  link.click();
}

/** comeTo brings a window to the attacker's page. The browser's own page about an error comes late, and in the way. */
async function comeTo(window, origin) {
  for (let tries = 0; tries < 8; tries++) {
    await window.goto(origin).catch(() => window.waitForTimeout(200));
    if (window.url().startsWith(origin) && (await window.title().catch(() => ''))) return;
  }
  throw new Error(`${origin} cannot be reached`);
}

/** send takes windows from the attacker's page to addresses, each by that function, a few windows at a time. */
async function send(context, origin, how, arguments_) {
  const queue = [...arguments_];
  const worker = async () => {
    const window = await context.newPage();
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      await comeTo(window, origin);
      const gone = window.waitForURL((url) => url.origin !== origin, { timeout: 3000 }).catch(() => {});
      await window.evaluate(how, next).catch(() => {}); // the page may be gone before it answers
      await gone;
    }
    await window.close();
  };
  await Promise.all(Array.from({ length: 3 }, worker));
}

const main = await newPage({ width: 1000, height: 700 }, ['/']);
await run(
  async () => {
    const { page, context } = main;
    await page.goto('/login');
    await login(page, user, password);
    await page.waitForURL(base + '/');
    const names = await furnish();
    const routes = await routesOf(names);
    const shots = routes.map((r) => ({ ...r, body: bodyFor(r) }));
    const hostile = shots.filter((s) => s.method !== 'GET');
    must(hostile.length > 40, `the documents name routes that change something (${hostile.length}) and routes that read (${shots.length - hostile.length})`);

    // What comes back to the attacker's requests, as the browser sees it beneath the rules for pages.
    const answers = new Map();
    context.on('response', (r) => {
      if (!r.url().startsWith(base)) return;
      const key = `${r.request().method()} ${new URL(r.url()).pathname}`;
      answers.set(key, (answers.get(key) ?? new Set()).add(r.status()));
    });

    const before = await state();
    const trail = (await done()).length;
    const { origins, close } = await attacker();
    const dialogs = [];
    context.on('dialog', (d) => {
      dialogs.push(d.message());
      void d.dismiss();
    });
    const attack = async (origin) => {
      const lure = await context.newPage(); // in the same browser, so that the cookie is there
      await lure.goto(origin);
      for (let i = 0; i < shots.length; i += 12) await lure.evaluate(fire, { base, shots: shots.slice(i, i + 12) });
      // The same from a frame without an origin of its own.
      const inner = `(${fire})(${JSON.stringify({ base, shots: hostile })}).then(() => parent.postMessage('over', '*'))`;
      await lure.evaluate((script) => new Promise((over) => {
        addEventListener('message', over, { once: true });
        const f = document.createElement('iframe');
        f.sandbox = 'allow-scripts allow-forms';
        f.srcdoc = `<body><script>${script.replaceAll('</', '<\\/')}</script>`;
        document.body.append(f);
        setTimeout(over, 30_000);
      }), inner);
      await lure.close();
      // The whole window goes there: by a form, and by a link. The cookie of this kind goes along with links.
      await send(context, origin, byForm, once(hostile).map(({ path, body }) => [base + path, body]));
      await send(context, origin, byLink, shots.filter((s) => s.method === 'GET').map(({ path }) => base + path));
    };
    for (const origin of origins) await attack(origin); // one after the other: browsers let pages in the background wait
    const trailNow = await done();
    must(trailNow.length === trail, `the trail has nothing new after the visits to ${origins}${trailNow.slice(0, trailNow.length - trail).map((r) => `\n  ${r.action} ${r.object} by ${r.actor}`).join('')}`);
    const after = await state();
    const known = new Set(before.split('\n'));
    const fresh = after.split('\n').filter((line) => !known.has(line));
    must(after === before, `users, roles, nodes, groups, tokens, keys, sessions and jobs are as before${fresh.map((l) => '\n' + l).join('')}`);
    close();
    must(dialogs.length === 0, 'no dialog was shown');

    const unasked = hostile.filter((h) => !answers.has(`POST ${h.path}`)).map((h) => h.path);
    must(unasked.length === 0, `each of them was asked${unasked.map((u) => '\n  ' + u).join('')}`);
    const granted = [...answers].filter(([key, statuses]) => !key.startsWith('GET ') && [...statuses].some((s) => s < 400));
    must(granted.length === 0, `every request of a foreign page that could change something was refused${granted.map(([k, s]) => `\n  ${k}: ${[...s]}`).join('')}`);

    await page.goto('/account');
    await page.getByRole('heading', { name: user, exact: true }).waitFor();
    must(true, 'the user is still logged in, as himself');

    // The same requests from our own page do work: what was refused was refused for where it came from.
    const worked = await page.evaluate(async (list) => {
      const ok = [];
      for (const { method, path, body } of list) {
        const reply = await fetch(path, { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
        if (reply.ok) ok.push(`${method} ${path}`);
      }
      return ok;
    }, hostile.filter((h) => !/logout|login|session|impersonate|revoke/.test(h.path)).sort((a, b) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE')));
    must(worked.length >= 15, `from our own page the same requests do change something (${worked.length} of them${worked.length < 15 ? ': ' + worked : ''})`);
    must((await state()) !== before, 'and the comparison sees it');
    process.stdout.write(JSON.stringify({ routes: routes.length, changing: hostile.length, worked: worked.length }) + '\n');
  },
  () => [main],
);
