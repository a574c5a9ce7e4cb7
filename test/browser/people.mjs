// Walks through the pages about tokens, keys, sessions, roles, the audit trail and logins of a running server.
//
//   node people.mjs BASE_URL USER PASSWORD OUTDIR OTHER
//
// USER must be a full administrator, OTHER a plain user with the same password; auth.totp.required-roles must have support.
// Screenshots go to OUTDIR.
import { createHmac } from 'node:crypto';
import { walk } from './walk.mjs';

const [base, user, password, out, other] = process.argv.slice(2);
if (!other) throw new Error('usage: node people.mjs BASE_URL USER PASSWORD OUTDIR OTHER');
const { claims, must, eventually, newPage, shoot, snap, fits, login, run, clean } = await walk(base, out);

const evil = '<img src=x onerror=alert(1)>"\'&lt;<script>alert(2)</script>';
const refused = ['/api/v1/whoami', '/login', '/logout'];
const dialog = (page) => page.getByRole('dialog');
const noted = [];

/** api asks as the page would: with the cookie, from the page itself. */
const api = (page, path, method = 'GET', body = undefined) =>
  page.evaluate(async ([p, m, b]) => {
    const reply = await fetch('/api/v1' + p, { method: m, ...(b && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(b) }) });
    const answer = await reply.json();
    if (!reply.ok) throw new Error(`${m} ${p}: ${reply.status} ${answer.reason}`);
    return answer.data;
  }, [path, method, body]);

/** textOf returns what was downloaded. */
async function textOf(download) {
  const chunks = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function settled(page) {
  await page.waitForLoadState('networkidle');
  await page.waitForTimeout(150);
}

/** unlabelled lists the controls that somebody who does not see the page could not tell apart. */
const unlabelled = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('input:not([type=hidden]), select, textarea, button, summary, a[href]')]
      .filter((c) => !(c.getAttribute('aria-label') || c.labels?.length || c.textContent.trim() || c.querySelector('img[alt]:not([alt=""])')))
      .map((c) => c.outerHTML.slice(0, 120)),
  );

async function named(page, what) {
  const without = await unlabelled(page);
  must(without.length === 0, `every control of ${what} has a name${without.map((w) => '\n  ' + w).join('')}`);
}

/** look opens a page in both widths and both colours. */
async function look(page, path, name) {
  await page.goto(path);
  await settled(page);
  await fits(page, path);
  await named(page, path);
  await shoot(page, name);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.waitForTimeout(200);
  await fits(page, path);
  await snap(page, `narrow-${name}`);
  await page.setViewportSize({ width: 1280, height: 860 });
}

async function ownTokens(page) {
  await look(page, '/account', 'account');
  // With the keyboard alone.
  await page.getByRole('button', { name: 'Generate token' }).focus();
  await page.keyboard.press('Enter');
  await dialog(page).waitFor();
  await page.getByLabel('Lifetime').selectOption('7d');
  await page.getByLabel('Lifetime').press('Tab');
  await page.keyboard.type(evil.slice(0, 60));
  await page.keyboard.press('Tab');
  await page.keyboard.type(evil);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter'); // opens what narrows
  await page.getByLabel('Only read').check();
  await page.getByLabel('NodesRead', { exact: true }).first().check();
  await page.getByLabel('Only on nodes').fill('n[01-04');
  await dialog(page).getByRole('button', { name: 'Generate token' }).click();
  await dialog(page).getByRole('alert').waitFor();
  must(true, 'a mistake in the form is shown in it');
  await snap(page, 'token-wrong');
  await page.getByLabel('Only on nodes').fill('n[01-04]');
  await page.getByLabel('Only from').fill('127.0.0.0/8, ::1/128');
  await named(page, 'the form for a token');
  await snap(page, 'token-narrow');
  await page.getByLabel('Only from').press('Enter');
  const text = await page.locator('textarea[data-token]').inputValue();
  must(text.split('.').length === 3, 'a narrowed token is made');
  await page.keyboard.press('Escape');
  must(await dialog(page).isVisible(), 'Escape does not lose a token that was not copied');
  await page.getByRole('button', { name: 'Done' }).click();
  await dialog(page).waitFor({ state: 'detached' });
  must(!(await page.content()).includes(text), 'the text of the token is gone from the page');
  const row = page.getByRole('row').filter({ hasText: '<img' }).first();
  await row.waitFor();
  must(await row.getByText('read only').isVisible(), 'the list shows how far the token is narrowed');
  must(await row.getByText('n[01-04]').isVisible(), 'and to which nodes');
  must(/\d+d .*left/.test(await row.innerText()), 'and how long it lives');

  await row.getByRole('button', { name: 'Rename' }).click();
  await page.getByLabel('Name', { exact: true }).fill('renamed');
  await dialog(page).getByRole('button', { name: 'Save' }).click();
  await page.getByRole('row').filter({ hasText: 'renamed' }).waitFor();
  must(true, 'a token can be renamed');

  const good = (await api(page, `/admin/${user}/token`, 'POST', { lifetime: '1h', name: 'lost' })).access_token;
  await page.getByRole('button', { name: 'Inspect' }).click();
  await page.getByLabel('Token that was found').fill(good);
  await dialog(page).getByRole('button', { name: 'Inspect', exact: true }).click();
  await dialog(page).getByText('This token is good').waitFor();
  must(!page.url().includes(good.slice(0, 20)), 'a found token is not put into the address');
  must((await page.getByLabel('Token that was found').inputValue()) === '', 'and not kept in the form');
  await snap(page, 'token-inspect');
  await dialog(page).getByRole('button', { name: 'Revoke it' }).click();
  await dialog(page).getByRole('button', { name: 'Revoke', exact: true }).click();
  await dialog(page).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Inspect' }).click();
  await page.getByLabel('Token that was found').fill(good);
  await dialog(page).getByRole('button', { name: 'Inspect', exact: true }).click();
  await dialog(page).getByText('Not good').waitFor();
  must(true, 'a found token can be revoked, and is not good any more');
  await page.getByRole('button', { name: 'Close' }).click();

  const doomed = page.getByRole('row').filter({ hasText: 'renamed' });
  await doomed.getByRole('button', { name: 'Revoke' }).click();
  await page.keyboard.press('Enter');
  await dialog(page).waitFor({ state: 'detached' });
  must(await doomed.isVisible(), 'Return in the question does not revoke');
  await doomed.getByRole('button', { name: 'Revoke' }).click();
  await snap(page, 'token-revoke');
  await dialog(page).getByRole('button', { name: 'Revoke', exact: true }).click();
  await doomed.waitFor({ state: 'detached' });
  await page.getByLabel('Ended ones too').check();
  await doomed.getByText('revoked').waitFor();
  must(true, 'a revoked token is shown as such');
}

async function endingNotice(page) {
  const now = Math.floor(Date.now() / 1000);
  const day = 86_400;
  await page.route('**/api/v1/whoami', async (route) => {
    const reply = await route.fetch();
    const body = await reply.json();
    await route.fulfill({ response: reply, json: { ...body, data: { ...body.data, expiring: 1 } } });
  });
  await page.route('**/api/v1/tokens?type=service*', (route) => route.fulfill({ json: { success: true, data: [{ jti: 'abc', name: evil, issued: now - 90 * day, expires: now + 5 * day }] } }));
  await page.goto('/account');
  const notice = page.getByRole('status').filter({ hasText: 'ends in' });
  await notice.waitFor();
  await snap(page, 'ending');
  must((await notice.innerText()).includes(evil), 'a notice tells which token is about to end');
  await notice.getByRole('button', { name: 'Put this notice away' }).click();
  await notice.waitFor({ state: 'detached' });
  await page.reload();
  await page.waitForTimeout(2500);
  must((await notice.count()) === 0, 'once put away it stays away');
  await page.unroute('**/api/v1/tokens?type=service*');
  await page.unroute('**/api/v1/whoami');
}

async function sessions(page) {
  const second = await newPage({ width: 900, height: 700 }, [...refused, '/api/'], { userAgent: evil });
  await second.page.goto('/login');
  await login(second.page, user, password);
  await second.page.waitForURL(base + '/');
  await page.goto('/account');
  const table = page.getByRole('table', { name: 'Sessions' });
  await table.getByText('this browser').waitFor();
  must((await table.getByText('this browser').count()) === 1, 'one of the sessions is this browser');
  const row = table.getByRole('row').filter({ hasText: '<img' });
  await row.waitFor();
  await snap(page, 'sessions');
  await row.getByRole('button', { name: 'End' }).click();
  await row.waitFor({ state: 'detached' });
  await second.page.goto('/account');
  await second.page.waitForURL('**/login*');
  must(true, 'a session that was ended elsewhere is over at once');
  await login(second.page, user, password);
  await second.page.waitForURL('**/account');
  await page.reload();
  await page.getByRole('button', { name: 'End all others' }).click();
  await page.getByRole('button', { name: 'Press again' }).click();
  await eventually(async () => (await table.getByRole('row').count()) === 2, 'all other sessions can be ended together');
  noted.push(...second.noted);
  await second.context.close();
}

async function manyTokens(page) {
  for (let i = 0; i < 110; i++) await api(page, `/admin/${other}/token`, 'POST', { lifetime: '1h', name: `batch ${i}`, purpose: i === 7 ? evil : '' });
  await look(page, '/admin/tokens', 'tokens');
  await page.getByLabel('User', { exact: true }).fill(other);
  await page.keyboard.press('Enter');
  await page.waitForURL(/user=/);
  const table = page.getByRole('table', { name: 'Issued tokens' });
  await eventually(async () => (await table.getByRole('row').count()) === 51, 'the filter is in the address, and a page of tokens is shown');
  await page.getByRole('button', { name: 'Load older' }).click();
  await eventually(async () => (await table.getByRole('row').count()) > 60, 'older ones can be loaded');
  await page.getByLabel('Kind').selectOption('service');
  await eventually(async () => (await table.getByText('impersonation').count()) === 0, 'the kind can be chosen');
  await page.getByRole('button', { name: 'Clear' }).click();

  await page.getByRole('button', { name: 'Revoke many' }).click();
  await page.getByLabel('User name').fill(other);
  await page.getByRole('button', { name: 'Count first' }).click();
  await dialog(page).getByRole('heading', { name: /Revoke \d+ tokens\?/ }).waitFor();
  await snap(page, 'bulk');
  const before = (await api(page, `/tokens?user=${other}&limit=1000`)).length;
  must(before >= 110, 'counting revokes nothing');
  await dialog(page).getByRole('button', { name: /^Revoke \d+ tokens$/ }).click();
  await page.getByText(/\d+ tokens? revoked\./).waitFor();
  must((await api(page, `/tokens?user=${other}&limit=1000`)).length === 0, 'then all of them are revoked');

  await page.getByRole('button', { name: 'Revoke many' }).click();
  await page.getByLabel('Which').selectOption('all');
  await page.getByRole('button', { name: 'Count first' }).click();
  must(await dialog(page).getByRole('button', { name: /^Revoke / }).isDisabled(), 'revoking everything asks for a word first');
  await page.keyboard.press('Escape');
}

async function keys(page) {
  await page.goto('/admin/tokens');
  const table = page.getByRole('table', { name: 'Signing keys' });
  await table.getByText('active').waitFor();
  await page.getByRole('button', { name: 'Rotate' }).click();
  await snap(page, 'rotate');
  await dialog(page).getByRole('button', { name: 'Rotate', exact: true }).click();
  await table.getByText('retired').first().waitFor();
  must((await table.getByText('active', { exact: true }).count()) === 1, 'after a rotation one key is active and the old one is retired');
  await snap(page, 'keys');
  const retired = table.getByRole('row').filter({ hasText: 'retired' }).first();
  await retired.getByRole('button', { name: 'Its tokens' }).click();
  await page.waitForURL(/key=/);
  must(true, 'the tokens of a key can be looked at');
  await retired.getByRole('button', { name: 'Remove' }).click();
  await dialog(page).getByText(/live token/).waitFor();
  await snap(page, 'key-remove');
  await dialog(page).getByRole('button', { name: 'Cancel' }).click();
}

async function roles(page) {
  await look(page, '/admin/roles', 'roles');
  await page.getByRole('button', { name: 'New role', exact: true }).click();
  await page.getByLabel('Name', { exact: true }).fill('role.NightShift');
  await page.getByLabel('Name for people').fill(evil.slice(0, 60));
  await page.getByLabel('What it is for').fill(evil);
  await page.getByLabel('Search permissions').first().fill('nodes');
  await page.getByLabel('NodesRead', { exact: true }).first().check();
  await page.getByLabel('Only on nodes').fill('n[1-');
  await dialog(page).getByRole('button', { name: 'Create role' }).click();
  const alert = dialog(page).getByRole('alert');
  await alert.waitFor();
  await named(page, 'the form for a role');
  await snap(page, 'role-wrong');
  const nearest = await alert.evaluate((a) => a.closest('.field')?.innerText ?? '');
  must(nearest.startsWith('Only on nodes'), 'a mistake is shown at the field that it is about');
  await page.getByLabel('Only on nodes').fill('n[1-4]');
  await page.getByLabel('Longest life').fill('12h');
  await dialog(page).getByRole('button', { name: 'Create role' }).click();
  await dialog(page).waitFor({ state: 'detached' });
  const own = page.getByRole('region', { name: 'Roles of this site' });
  await own.locator('summary').click();
  await own.getByText('on n[1-4]').waitFor();
  must(await own.getByText('12h').isVisible(), 'a role can be made, with nodes and a longest life of tokens');
  await snap(page, 'roles-own');
  await own.getByRole('button', { name: 'Change' }).click();
  await page.getByLabel('NodesReadAttribs', { exact: true }).first().check();
  await dialog(page).getByRole('button', { name: 'Save' }).click();
  await dialog(page).waitFor({ state: 'detached' });
  await eventually(async () => (await own.innerText()).includes('2 permissions'), 'it can be changed');
  await own.getByRole('button', { name: 'Delete' }).click();
  await dialog(page).getByRole('button', { name: 'Delete role' }).click();
  await own.waitFor({ state: 'detached' });
  must(true, 'and deleted');
}

async function audit(page) {
  await look(page, '/admin/audit', 'audit');
  const table = page.getByRole('table', { name: 'Audit records' });
  await eventually(async () => (await table.getByRole('row').count()) === 101, 'the newest records are shown');
  await page.getByRole('button', { name: 'Load older' }).click();
  await eventually(async () => (await table.getByRole('row').count()) > 101, 'older ones can be loaded');
  await page.getByLabel('Action').fill('role.');
  await page.keyboard.press('Enter');
  await page.waitForURL(/action=role/);
  await eventually(async () => (await table.getByRole('row').count()) === 4, 'the filter is in the address: a role was made, changed and deleted');
  await table.getByRole('button', { name: /Details/ }).last().click();
  const drawer = page.getByRole('complementary');
  await drawer.getByText('Hash').waitFor();
  await snap(page, 'audit-details');
  await page.keyboard.press('Escape');
  await drawer.waitFor({ state: 'detached' });
  must(true, 'the details of a record can be looked at');

  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Export' }).click()]);
  const records = (await textOf(download)).trim().split('\n').map((l) => JSON.parse(l));
  must(records.length === 3 && records.every((r) => r.action.startsWith('role.')), 'the export has the same records, a JSON object a line');

  await page.getByRole('button', { name: 'Check chain' }).click();
  await page.getByText(/The chain of .* holds/).waitFor();
  must(true, 'the chain can be checked');
  await page.getByRole('button', { name: 'Follow' }).click();
  await api(page, '/roles', 'POST', { name: 'role.Seen', permissions: ['NodesRead'] });
  await eventually(async () => (await table.getByText('role/role.Seen').or(table.getByText('role.Seen')).count()) > 0, 'what happens meanwhile appears by itself');
  await api(page, '/role/role.Seen', 'DELETE');
  await page.getByRole('button', { name: 'Following' }).click();

  await page.goto('/admin/audit?action=token.create');
  await table.getByRole('button', { name: /Details/ }).first().click();
  await drawer.waitFor();
  await snap(page, 'audit-token');
}

async function acting(page) {
  await look(page, '/users', 'users');
  await page.getByRole('button', { name: `Sessions of ${other}` }).click();
  await dialog(page).waitFor();
  await settled(page);
  await snap(page, 'users-sessions');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: `Act as ${other}` }).click();
  await snap(page, 'act');
  await dialog(page).getByRole('button', { name: `Act as ${other}` }).click();
  const banner = page.getByRole('region', { name: 'Acting as another user' });
  await banner.waitFor();
  must((await banner.innerText()).replace(/\s+/g, ' ').includes(`You (${user}) act as ${other} · ends in`), 'a banner says who acts as whom, and until when');
  must((await page.title()).startsWith(`[as ${other}]`), 'so does the title');
  await settled(page);
  await shoot(page, 'acting');
  await page.goto('/monitoring/jobs/');
  await banner.waitFor();
  must((await page.getByRole('link', { name: 'Users' }).count()) === 0, 'one sees what the other sees');
  await page.setViewportSize({ width: 390, height: 844 });
  await fits(page, 'the banner');
  await snap(page, 'narrow-acting');
  await page.setViewportSize({ width: 1280, height: 860 });
  await banner.getByRole('button', { name: 'Stop' }).click();
  await banner.waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'Users' }).waitFor();
  must(!(await page.title()).includes(other), 'after stopping one is oneself again');
  const trail = await api(page, `/audit?who=${other}&limit=50`);
  must(trail.some((r) => r.actor === user && r.subject === other), 'the trail names both');
}

/** code returns the one-time code of RFC 6238 for a secret. */
function code(secret, at = Date.now()) {
  const bits = [...secret.replaceAll(' ', '').replace(/=+$/, '')].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const mac = createHmac('sha1', key).update(step).digest();
  const offset = mac.at(-1) & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

async function secondFactor() {
  const { page, context, noted: mine } = await newPage({ width: 1280, height: 860 }, [...refused, '/totp']);
  await page.goto('/login');
  await login(page, other, password);
  await page.waitForURL(base + '/');
  await page.goto('/account');
  await settled(page);
  const drawers = () => page.evaluate(() => performance.getEntriesByType('resource').filter((e) => /\/qr-/.test(e.name)).length);
  must((await drawers()) === 0, 'what draws QR codes is not loaded with the page');
  await page.getByRole('button', { name: 'Turn on' }).click();
  const secret = await page.locator('[data-secret]').innerText();
  await eventually(() => page.getByRole('img', { name: /QR code/ }).evaluate((i) => i.getBoundingClientRect().width > 150 && i.querySelector('path').getBBox().width > 20), 'the secret is shown as a QR code');
  must((await drawers()) === 1, 'but when it is needed');
  await named(page, 'the second factor');
  await shoot2(page, 'factor');
  await page.getByLabel('Code that the app shows now').fill('000000');
  await dialog(page).getByRole('button', { name: 'Confirm' }).click();
  await dialog(page).getByRole('alert').waitFor();
  must(true, 'a wrong code is refused, and the form says so');
  await page.getByLabel('Code that the app shows now').fill(code(secret));
  await dialog(page).getByRole('button', { name: 'Confirm' }).click();
  await page.locator('[data-recovery] li').first().waitFor();
  const recovery = await page.locator('[data-recovery] li').allInnerTexts();
  must(recovery.length >= 8, `recovery codes are shown once (${recovery.length})`);
  await snap(page, 'recovery');
  await page.getByRole('button', { name: 'I have kept them' }).click();
  await page.getByText('A login with your password also needs').waitFor();

  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByLabel('User name').waitFor();
  await login(page, other, password);
  await page.getByLabel('One-time code').waitFor();
  must((await page.getByRole('alert').count()) === 0, 'a login with a second factor has a second step');
  await snap(page, 'login-code');
  await page.getByLabel('One-time code').fill('000000');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').waitFor();
  must(await page.getByLabel('One-time code').isVisible(), 'a wrong code is refused without asking for the password again');
  await page.getByLabel('One-time code').fill(recovery[0]);
  await page.keyboard.press('Enter');
  await page.waitForURL(base + '/');
  must(true, 'a recovery code opens');
  await page.goto('/account');
  await page.getByRole('button', { name: 'Turn off' }).click();
  await page.getByLabel('A code from the app').fill(recovery[1]);
  await dialog(page).getByRole('button', { name: 'Turn off', exact: true }).click();
  await page.getByRole('button', { name: 'Turn on' }).waitFor();
  must(true, 'the second factor can be turned off with a code');
  noted.push(...mine);
  await context.close();
}

/** requiredFactor is for somebody who may do nothing before there is a second factor, and for who resets it. */
async function requiredFactor(admin) {
  const guarded = 'carol';
  await api(admin, '/admins', 'POST', { name: guarded, roles: ['support'], password });
  const { page, context, noted: mine } = await newPage({ width: 1280, height: 860 }, [...refused, '/totp/confirm']);
  const wanted = '/monitoring/jobs/?user=alice';
  const asked = page.getByRole('heading', { name: 'Set up your second factor' });
  const jobs = page.getByRole('heading', { name: 'Jobs', exact: true });
  await page.goto('/login?' + new URLSearchParams({ redirect: wanted }));
  await login(page, guarded, password);
  await asked.waitFor();
  must(page.url() === base + wanted && (await page.getByText('Your roles ask for a second factor').isVisible()), 'whose roles ask for a second factor is told so, and the address stays');
  for (const path of ['/', '/account', '/nodes']) {
    await page.goto(path);
    await asked.waitFor();
  }
  must(true, 'every page leads there');
  await look(page, wanted, 'factor-required');

  // With the keyboard alone, on a narrow screen.
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole('button', { name: 'Turn on' }).focus();
  await page.keyboard.press('Enter');
  await dialog(page).waitFor();
  const secret = await page.locator('[data-secret]').innerText();
  must(/^([A-Z2-7]{4} )+[A-Z2-7]{1,4}$/.test(secret), 'the secret is written in groups');
  await fits(page, 'the dialog with the secret');
  await shoot2(page, 'narrow-factor');
  await page.keyboard.type('000 000');
  await page.keyboard.press('Enter');
  await dialog(page).getByText('the code is not what the generator shows now').waitFor();
  await snap(page, 'narrow-factor-wrong');
  await page.getByLabel('Code that the app shows now').fill(code(secret));
  await page.keyboard.press('Enter');
  await dialog(page).getByText('They are not shown again').waitFor();
  const recovery = await page.locator('[data-recovery] li').allInnerTexts();
  await named(page, 'the recovery codes');
  await fits(page, 'the dialog with the recovery codes');
  await shoot2(page, 'narrow-recovery');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  must(await dialog(page).isVisible(), 'neither Return nor Escape loses them');
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download' }).click()]);
  const text = await textOf(file);
  must(file.suggestedFilename() === `recovery-codes-${guarded}.txt` && recovery.every((r) => text.split('\n').includes(r)), 'the recovery codes can be kept as a file');
  await page.setViewportSize({ width: 1280, height: 860 });
  await page.getByRole('button', { name: 'I have kept them' }).click();
  await jobs.waitFor();
  must(page.url() === base + wanted, 'then the page follows that was wanted');
  must(!(await page.content()).includes(recovery[0]), 'and the codes are gone');

  await page.getByRole('button', { name: 'Log out' }).click();
  await page.goto('/login?' + new URLSearchParams({ redirect: wanted }));
  await login(page, guarded, password);
  await page.getByLabel('One-time code').fill('000000');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'the one-time code is wrong or has been used' }).waitFor();
  await page.getByLabel('One-time code').fill(code(secret, Date.now() + 30_000)); // the one of now was used above
  await page.keyboard.press('Enter');
  await jobs.waitFor();
  must(page.url() === base + wanted, 'a code opens, and leads to where one wanted to go');
  await page.goto('/account');
  await page.getByText(/app, since .*10 recovery codes left/).waitFor();
  noted.push(...mine);

  await look(admin, '/users', 'users-factor');
  const row = admin.getByRole('row').filter({ hasText: guarded });
  must((await admin.getByRole('button', { name: 'Reset second factor' }).count()) === 1 && (await row.getByText('on', { exact: true }).isVisible()), 'administrators see who has a second factor');
  await row.getByRole('button', { name: `Reset second factor of ${guarded}` }).click();
  await dialog(admin).getByRole('heading', { name: `Remove the second factor of ${guarded}?` }).waitFor();
  await shoot2(admin, 'factor-reset');
  await dialog(admin).getByRole('button', { name: `Remove it from ${guarded}` }).click();
  await row.getByText('off', { exact: true }).waitFor();
  must(true, 'and can remove it');
  await page.getByRole('link', { name: 'Jobs' }).click(); // without loading the page again
  await asked.waitFor();
  must(true, 'who is there meanwhile is led to a new one');
  await context.close();

  await row.getByRole('button', { name: `Act as ${guarded}` }).click();
  await dialog(admin).getByRole('button', { name: `Act as ${guarded}` }).click();
  await admin.getByText(`Only ${guarded} can set it up`).waitFor();
  await snap(admin, 'factor-acting');
  await admin.getByRole('button', { name: 'Stop' }).click();
  await admin.getByRole('link', { name: 'Users' }).waitFor();
}

/** shoot2 takes what covers the page, in both colours: the switch behind it cannot be pressed. */
async function shoot2(page, name) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await snap(page, `${name}-${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

async function logins() {
  const plain = await newPage({ width: 1000, height: 700 }, refused, { javaScriptEnabled: false });
  await plain.page.goto('/login');
  await plain.page.getByLabel('User name').fill(user);
  await plain.page.getByLabel('Password').fill(password);
  await snap(plain.page, 'login-plain');
  await plain.page.getByRole('button', { name: 'Log in' }).click();
  await plain.page.waitForURL(base + '/');
  must((await plain.context.cookies()).some((c) => c.name === 'session' && c.httpOnly), 'logging in works without JavaScript');
  await plain.context.close();

  const offered = await newPage({ width: 1000, height: 700 }, refused);
  await offered.page.route('**/api/v1/login/methods', (route) => route.fulfill({ json: { success: true, data: { password: true, oidc: { label: evil } } } }));
  await offered.page.goto('/login?redirect=/nodes');
  const link = offered.page.getByRole('link', { name: 'Log in with' });
  await link.waitFor();
  must((await link.innerText()).includes(evil) && (await link.getAttribute('href')).startsWith('/oidc-login'), 'the login page offers what the server offers');
  await snap(offered.page, 'login-oidc');
  for (const to of ['//evil.example/', '/\\evil.example', 'https://evil.example/', 'javascript:alert(1)']) {
    await offered.page.goto('/login?' + new URLSearchParams({ redirect: to }));
    await login(offered.page, user, password);
    await offered.page.waitForURL(base + '/');
  }
  must(true, 'no login leads to another host');
  noted.push(...offered.noted);
  await offered.context.close();
}

const main = await newPage({ width: 1280, height: 860 }, refused);
await run(
  async () => {
    const { page } = main;
    await logins();
    await page.goto('/login');
    await login(page, user, password);
    await page.waitForURL(base + '/');
    await api(page, '/admins', 'POST', { name: 'mallory', full_name: evil, description: evil, roles: ['user'], password: 'long enough to be one' });
    for (const work of ((process.env.ONLY || undefined)?.split(',') ?? ['ownTokens', 'endingNotice', 'sessions', 'roles', 'manyTokens', 'keys', 'audit', 'acting', 'secondFactor', 'requiredFactor'])) {
      await { ownTokens, endingNotice, sessions, roles, manyTokens, keys, audit, acting, secondFactor, requiredFactor }[work](page);
    }
    clean(noted, main.noted.filter((w) => !/status 4\d\d: .*\/api\/v1\/(roles|admin\/\w+\/token)$/.test(w) && !/status of 4\d\d .*\/api\/v1\/(roles|admin\/\w+\/token)\)$/.test(w)));
    process.stdout.write(JSON.stringify({ checks: claims.length }) + '\n');
  },
  () => [main],
);
