// Walks through the pages of a running server as a person would, and fails on anything that a person would notice.
//
//   node run.mjs BASE_URL USER PASSWORD OUTDIR [TOKEN_FOR]
//
// The user must be an administrator who may mint tokens; the server must have at least one running job with samples and
// one node. Screenshots go to OUTDIR. The last line of standard output is JSON: the token that was made, for whom, and
// what the first load weighed.
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { inked, weigh } from './browser.mjs';
import { walk } from './walk.mjs';

const [base, user, password, out, tokenFor = user] = process.argv.slice(2);
if (!out) throw new Error('usage: node run.mjs BASE_URL USER PASSWORD OUTDIR [TOKEN_FOR]');
const { claims, must, eventually, newPage, shoot, fits, login, run, clean } = await walk(base, out);
const wrong = [];

async function loginPage(page) {
  await page.goto('/monitoring/jobs/?state=running');
  await page.waitForURL('**/login?redirect=*');
  must(await page.getByLabel('User name').isVisible(), 'a page without login leads to the login page');
  await shoot(page, 'login');
  await login(page, user, 'certainly not the password');
  await page.getByRole('alert').waitFor();
  must(true, 'a wrong password is refused with a message');
  must((await page.getByLabel('User name').inputValue()) === user, 'the name that was typed is still there');
  await page.screenshot({ path: join(out, 'login-refused.png') });
  await login(page, user, password);
  await page.waitForURL('**/monitoring/jobs/?state=running');
  must(true, 'after the login the page that was asked for is shown');
}

async function jobsPage(page) {
  await page.locator('table[aria-label="Jobs"] tbody tr[aria-rowindex] .job a').first().waitFor();
  await eventually(async () => (await inked(page, '.spark')).drawn > 0, 'small plots of running jobs have pixels');
  await page.goto('/monitoring/jobs/');
  await eventually(async () => (await inked(page, '.spark')).drawn > 0, 'small plots of the whole list have pixels');
  await page.waitForLoadState('networkidle');
  await shoot(page, 'jobs');
  const rows = await page.locator('table[aria-label="Jobs"] tbody tr').count();
  must(rows < 80, `the table has few rows in the document (${rows})`);
  await page.getByLabel('Search jobs').fill('user:nobody-of-that-name');
  await page.keyboard.press('Enter');
  await page.getByText('No job matches').waitFor();
  must(new URL(page.url()).searchParams.get('user') === 'nobody-of-that-name', 'the filter is in the address');
  await page.getByRole('button', { name: 'Remove filter user nobody-of-that-name' }).click();
  await page.locator('.job a').first().waitFor();
  must(true, 'a filter can be removed by its chip');
}

/** comeBack opens a job far down in the list and goes back. A list that hardly scrolls has no far down. */
async function comeBack(page) {
  await page.goto('/monitoring/jobs/');
  await page.locator('.job a').first().waitFor();
  const top = () => page.locator('.list .box').evaluate((box) => Math.round(box.scrollTop));
  if (await page.locator('.list .box').evaluate((box) => box.scrollHeight - box.clientHeight < 1500)) return;
  await page.locator('.list .box').evaluate((box) => box.scrollTo(0, 1500));
  await page.waitForLoadState('networkidle');
  await page.waitForTimeout(300);
  const before = await top();
  const name = await page.locator('.job a').nth(8).innerText();
  await page.locator('.job a').nth(8).click();
  await page.waitForURL('**/monitoring/job/*');
  await page.goBack();
  await page.getByRole('link', { name, exact: true }).waitFor();
  await eventually(async () => (await top()) === before, `the list is where it was left after going back (${before} px)`);
}

async function jobPage(page) {
  await page.goto('/monitoring/jobs/?state=running');
  await page.locator('.job a').first().click();
  await page.waitForURL('**/monitoring/job/*');
  await eventually(async () => (await inked(page, '.plot')).drawn > 0, 'plots of a running job have pixels');
  must(await page.getByText('running', { exact: true }).first().isVisible(), 'the job page shows the state');
  await page.waitForLoadState('networkidle');
  await shoot(page, 'job');
  await page.locator('.plot').first().hover({ position: { x: 180, y: 60 } });
  await page.screenshot({ path: join(out, 'job-cursor.png') });
  const plots = await inked(page, '.plot');
  const gaps = await page.getByText('not reported').count();
  must(plots.all + gaps > 0, `each metric has a plot (${plots.drawn} of ${plots.all}) or says that it is not reported`);
  const scope = page.locator('select.scope').first();
  if (await scope.count()) {
    const finest = await scope.locator('option').last().innerText();
    await scope.selectOption(finest);
    await page.waitForURL(/scope=/);
    await page.waitForLoadState('networkidle');
    must(true, `the scope ${finest} is in the address`);
    await page.screenshot({ path: join(out, 'job-scope.png') });
  }
  await page.locator('#statistics').scrollIntoViewIfNeeded();
  await page.screenshot({ path: join(out, 'job-statistics.png') });
}

async function nodesPage(page) {
  await page.goto('/nodes');
  const first = page.locator('table[aria-label="Nodes"] tbody .name a').first();
  const name = await first.innerText();
  await page.waitForLoadState('networkidle');
  await shoot(page, 'nodes');
  await first.click();
  await page.getByRole('complementary', { name: `Node ${name}` }).waitFor();
  await page.getByText('Attributes', { exact: false }).last().waitFor();
  await page.waitForLoadState('networkidle');
  must(page.url().includes('/nodes/'), 'a node has an address of its own');
  await shoot(page, 'node');
  await page.keyboard.press('Escape');
  await page.waitForURL(/\/nodes(\?|$)/);
  must(true, 'Escape closes the node');
}

async function usersPage(page) {
  await page.goto('/users');
  await page.getByRole('button', { name: `Generate token for ${tokenFor}` }).waitFor();
  await shoot(page, 'users');
  await page.getByRole('button', { name: `Generate token for ${tokenFor}` }).click();
  await page.getByLabel('Lifetime').selectOption('1h');
  await page.getByLabel('Name', { exact: true }).fill('browser test');
  await page.getByLabel('Purpose').fill('made by the walk through the pages');
  await page.screenshot({ path: join(out, 'token-form.png') });
  await page.getByRole('dialog').getByRole('button', { name: 'Generate token' }).click();
  const token = await page.locator('textarea[data-token]').inputValue();
  must(token.split('.').length === 3, 'a token is generated and shown');
  await page.screenshot({ path: join(out, 'token.png') });
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  must(!(await page.content()).includes(token), 'the token is gone from the page once it is closed');
  return token;
}

async function otherPages(page) {
  await page.goto('/account');
  await page.getByRole('heading', { name: 'What you may do' }).waitFor();
  await page.waitForLoadState('networkidle');
  await shoot(page, 'account');
  await page.goto('/');
  await page.locator('.figure').first().waitFor();
  await page.waitForLoadState('networkidle');
  await shoot(page, 'home');
  await page.goto('/no/such/page');
  await page.getByText('There is no such page').waitFor();
  must(true, 'an unknown address says so');
}

async function logout(page) {
  await page.goto('/');
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByLabel('User name').waitFor();
  must(new URL(page.url()).pathname === '/login', 'logging out leads to the login page');
  must(await page.getByRole('status').isVisible(), 'logging out is confirmed');
  await page.goto('/account');
  await page.waitForURL('**/login?redirect=%2Faccount');
  must(true, 'after logging out the pages are closed');
}

async function narrow(state) {
  const { page, context, noted } = await newPage({ width: 360, height: 740 });
  await context.addCookies(state.cookies);
  for (const [path, name] of [['/monitoring/jobs/', 'jobs'], ['/nodes', 'nodes'], ['/', 'home']]) {
    await page.goto(path);
    await page.waitForLoadState('networkidle');
    await page.waitForTimeout(300);
    await fits(page, name);
    await page.screenshot({ path: join(out, `narrow-${name}.png`) });
  }
  await page.goto('/monitoring/jobs/?state=running');
  await page.locator('.job a').first().click();
  await eventually(async () => (await inked(page, '.plot')).drawn > 0, 'plots have pixels on a narrow screen');
  await page.screenshot({ path: join(out, 'narrow-job.png') });
  wrong.push(...noted);
  await context.close();
}

/** firstLoad weighs the jobs page in a browser that has seen nothing of us yet but the login. */
async function firstLoad(state) {
  const { page, context } = await newPage({ width: 1440, height: 900 });
  await context.addCookies(state.cookies);
  const weight = await weigh(page);
  const files = [];
  page.on('response', (r) => {
    if (r.request().resourceType() !== 'fetch') files.push(r.body());
  });
  const begin = Date.now();
  await page.goto('/monitoring/jobs/');
  await page.locator('.job a').first().waitFor();
  const firstRows = Date.now() - begin;
  await page.waitForLoadState('networkidle');
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
  const bodies = await Promise.all(files);
  const sum = (size) => bodies.reduce((total, b) => total + size(b), 0);
  const best = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
  const result = {
    transferred: weight(),
    files: { count: bodies.length, raw: sum((b) => b.length), gzip: sum((b) => gzipSync(b, { level: 9 }).length), brotli: sum((b) => brotliCompressSync(b, best).length) },
    milliseconds: { firstContentfulPaint: Math.round(paint ?? 0), firstRows },
  };
  await context.close();
  return result;
}

// Before the login the server rightly refuses, and browsers report each refusal on the console.
const main = await newPage({ width: 1440, height: 900 }, ['/api/v1/whoami', '/login', '/logout', '/no/such/page']);
await run(
  async () => {
    const { page, context, noted } = main;
    await loginPage(page);
    await jobsPage(page);
    await comeBack(page);
    await jobPage(page);
    await nodesPage(page);
    const token = await usersPage(page);
    await otherPages(page);
    const state = await context.storageState();
    await narrow(state);
    const weight = await firstLoad(state);
    await logout(page);
    clean(wrong, noted);
    process.stdout.write(JSON.stringify({ token, tokenFor, checks: claims.length, firstLoad: weight }) + '\n');
  },
  () => [main],
);
