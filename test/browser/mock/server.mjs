// Serves the built pages with made-up data, for working on them without a server: npm run mock, then log in as demo
// with password demo (an administrator) or as jonas with password demo (a user). Never used by a test of the product.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { attributesOf, clusters, fresh, jobMetrics, jobs, listJobs, nodes, now, permissions, users } from './data.mjs';
import { answer, tokens } from './people.mjs';

const dist = process.env.DIST ?? join(import.meta.dirname, '../../../web/dist');
const types = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const policy = "default-src 'self'; style-src 'self'; img-src 'self' data:; script-src 'self'; object-src 'none'; base-uri 'self'; frame-ancestors 'none'";

const actingUntil = now() + 3600;

function meFrom(request) {
  const [, name, , actor] = /session=([\w-]+)(~(\w+))?/.exec(request.headers.cookie ?? '') ?? [];
  if (!name) return undefined;
  const admin = name === 'demo';
  return { name, uid: '0'.repeat(32), sees: admin, roles: admin ? ['admin', 'role.FullAdmin'] : ['user'], permissions: admin ? permissions : ['ClustersRead', 'JobsRead', 'AdminsWriteSelf'], expiring: 5, token: { type: 'session', ...(actor && { impersonated_by: actor, expires: actingUntil }) } };
}

function json(response, body, status = 200) {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
}

function page(response, status = 200, error = '') {
  const meta = error ? `<meta name="login-error" content="${error}">` : '';
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': policy, 'Cache-Control': 'no-store' });
  response.end(readFileSync(join(dist, 'index.html'), 'utf8').replace('</head>', meta + '</head>'));
}

async function bodyOf(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}

async function access(request, response, path) {
  const name = meFrom(request)?.name;
  if (path === '/impersonate') {
    const { user } = JSON.parse(await bodyOf(request));
    response.setHeader('Set-Cookie', `session=${user}~${name}; Path=/; HttpOnly`);
    return json(response, { user });
  }
  if (path === '/impersonate/stop') {
    response.setHeader('Set-Cookie', `session=${meFrom(request).token.impersonated_by}; Path=/; HttpOnly`);
    return json(response, {});
  }
  if (path === '/logout') {
    response.setHeader('Set-Cookie', 'session=; Path=/; Max-Age=0');
    return page(response);
  }
  const form = new URLSearchParams(await bodyOf(request));
  if (form.get('password') !== 'demo') return page(response, 401, 'wrong user name or password');
  if (form.get('username') === 'admin1' && !form.get('code')) return page(response, 401, 'a one-time code is required');
  response.writeHead(302, { 'Set-Cookie': `session=${form.get('username')}; Path=/; HttpOnly`, Location: form.get('redirect') || '/' });
  response.end();
}

function mint(name, wish, me) {
  const seconds = { h: 3600, d: 86400 }[wish.lifetime.at(-1)] * parseInt(wish.lifetime, 10);
  const token = { jti: 't' + (tokens.length + 1) + 'f03a9c', name: '', purpose: '', ...wish, type: 'service', user: name, issued_by: me.name, issued: now(), expires: now() + seconds, last_used: null, revoked: null };
  tokens.unshift(token);
  return { access_token: 'eyJhbGciOiJFZERTQSJ9.' + Buffer.from(JSON.stringify({ sub: name, jti: token.jti })).toString('base64url') + '.mock', token_type: 'Bearer', expires: token.expires, user: name, issued_by: me.name };
}

function cockpit(response, url, me) {
  const job = (id) => jobs.find((j) => j.id === Number(id) && (me.sees || j.user === me.name));
  const path = url.pathname.replace(/\/$/, '');
  if (path === '/api/clusters') return json(response, { clusters });
  if (path === '/api/jobs') return json(response, listJobs(url.searchParams, me));
  let m = /^\/api\/jobs\/metrics\/(\d+)$/.exec(path);
  if (m) {
    const j = job(m[1]);
    if (!j) return json(response, { data: null, error: { message: 'no such job' } });
    const list = jobMetrics(j, url.searchParams.getAll('metric'), url.searchParams.getAll('scope'), Number(url.searchParams.get('points') ?? 300));
    return json(response, { data: { jobMetrics: list }, error: null });
  }
  m = /^\/api\/jobs\/(\d+)$/.exec(path);
  if (m && job(m[1])) return json(response, { Meta: fresh(job(m[1])), Data: null });
  return json(response, { status: 'Unprocessable Entity', error: 'no such job' }, 422);
}

async function ware(request, response, url, me) {
  const path = url.pathname.replace('/api/v1', '');
  const send = (data) => json(response, { success: true, data });
  if (path === '/whoami') return send(me);
  if (path === '/nodes') return send(nodes);
  if (path === '/admins') return send(users);
  const about = await answer(request.method, path, url.searchParams, () => bodyOf(request), me);
  if (about !== undefined) return send(about);
  let m = /^\/node\/(\w+)\/attributes$/.exec(path);
  if (m) return send(attributesOf(nodes.find((n) => n.uid === m[1])));
  m = /^\/admin\/([\w-]+)\/token$/.exec(path);
  if (m) return send(mint(m[1], JSON.parse(await bodyOf(request)), me));
  return json(response, { success: false, reason: 'no such path' }, 404);
}

async function query(request, response) {
  const { queries } = JSON.parse(await bodyOf(request));
  const config = (name) => clusters.flatMap((c) => c.metricConfig).find((m) => m.name === name);
  json(response, { results: queries.map((q) => [{ data: [config(q.metric).peak * 0.4, null] }]) });
}

createServer(async (request, response) => {
  const url = new URL(request.url, 'http://mock');
  const { pathname } = url;
  if (request.method === 'POST' && ['/login', '/logout', '/impersonate', '/impersonate/stop'].includes(pathname)) return access(request, response, pathname);
  if (pathname.startsWith('/assets/')) {
    response.writeHead(200, { 'Content-Type': types[extname(pathname)] ?? 'application/octet-stream', 'Cache-Control': 'public, max-age=31536000, immutable' });
    return response.end(readFileSync(join(dist, pathname)));
  }
  if (!pathname.startsWith('/api/')) return page(response);
  const me = meFrom(request);
  if (!me && pathname !== '/api/v1/login/methods') return json(response, { success: false, reason: 'no user for secured check' }, 401);
  if (pathname.startsWith('/api/query')) return query(request, response);
  if (pathname.startsWith('/api/v1/')) return ware(request, response, url, me);
  return cockpit(response, url, me);
}).listen(Number(process.env.PORT ?? 8077), '127.0.0.1');
