// What the walks through the pages have in common: claims that must hold, pages that are watched, pictures.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { open, watch } from './browser.mjs';

const patience = 20_000;

/** walk opens a browser for the server at base; pictures go to the folder out. */
export async function walk(base, out) {
  mkdirSync(out, { recursive: true });
  const browser = await open();
  const claims = [];

  function must(ok, claim) {
    claims.push(claim);
    if (!ok) throw new Error(`not so: ${claim}`);
    process.stdout.write(`ok    ${claim}\n`);
  }

  async function eventually(check, claim) {
    const end = Date.now() + patience;
    while (Date.now() < end) {
      if (await check()) return must(true, claim);
      await new Promise((done) => setTimeout(done, 100));
    }
    must(false, claim);
  }

  /** newPage opens a page in a browser of its own. noted is what went wrong on it; expected are addresses that may fail. */
  async function newPage(viewport, expected, more = {}) {
    const context = await browser.newContext({ viewport, colorScheme: 'light', baseURL: base, ...more });
    const page = await context.newPage();
    page.setDefaultTimeout(patience);
    const noted = watch(page, base, expected);
    page.on('dialog', (d) => {
      noted.push(`dialog: ${d.message()}`);
      void d.dismiss();
    });
    return { page, context, noted };
  }

  async function setTheme(page, label) {
    await page.getByRole('radio', { name: label, exact: true }).first().click();
  }

  /** shoot takes the page in both colours. */
  async function shoot(page, name) {
    for (const label of ['Light', 'Dark']) {
      await setTheme(page, label);
      await page.waitForTimeout(150); // lets canvases be drawn in the new colours
      await page.screenshot({ path: join(out, `${name}-${label.toLowerCase()}.png`) });
    }
    await setTheme(page, 'Like the system');
  }

  const snap = (page, name) => page.screenshot({ path: join(out, `${name}.png`) });

  async function fits(page, name) {
    must(!(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)), `${name} fits into ${page.viewportSize().width} pixels`);
  }

  async function login(page, name, secret) {
    await page.getByLabel('User name').fill(name);
    await page.getByLabel('Password').fill(secret);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
  }

  /** run does the work and ends the process as its outcome says; page is what is shown when it fails. */
  async function run(work, pages) {
    try {
      await work();
    } catch (err) {
      for (const { page, noted } of pages()) {
        process.stderr.write([`at ${page.url()}`, ...noted, ''].join('\n'));
        await page.screenshot({ path: join(out, 'failure.png') }).catch(() => {});
      }
      process.stderr.write(`${err.stack}\n`);
      process.exitCode = 1;
    }
    // A browser in a bad state may not close; nobody needs to wait for it.
    await Promise.race([browser.close(), new Promise((later) => setTimeout(later, 5000))]);
    process.exit();
  }

  /** clean claims that nothing went wrong. */
  function clean(...lists) {
    const wrong = lists.flat();
    must(wrong.length === 0, `no error, violation or foreign request in the browser${wrong.map((w) => '\n  ' + w).join('')}`);
  }

  return { browser, claims, must, eventually, newPage, shoot, snap, fits, login, run, clean };
}
