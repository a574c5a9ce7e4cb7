// A browser that takes note of everything that must not happen on our pages.
import { chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** open starts the browser. */
export function open() {
  return chromium.launch({ executablePath, args });
}

/**
 * watch returns the list of what went wrong on a page, to be looked at in the end: errors on the console (violations of
 * the content security policy are such), exceptions, failed requests, and requests to anywhere but our own server.
 * expected are addresses whose failure is part of the test.
 */
export function watch(page, base, expected = []) {
  const wrong = [];
  const fine = (url) => expected.some((e) => url.includes(e));
  page.on('console', (m) => {
    if ((m.type() === 'error' || m.type() === 'warning') && !fine(m.location().url)) wrong.push(`console ${m.type()}: ${m.text()} (${m.location().url})`);
  });
  page.on('pageerror', (e) => wrong.push(`exception: ${e.stack ?? e}`));
  page.on('request', (r) => {
    if (!r.url().startsWith(base) && !r.url().startsWith('data:')) wrong.push(`request to another origin: ${r.url()}`);
  });
  page.on('requestfailed', (r) => {
    // A request that the page itself gave up, as when rows scroll out of view, is no failure.
    if (r.failure()?.errorText !== 'net::ERR_ABORTED') wrong.push(`failed: ${r.url()} ${r.failure()?.errorText}`);
  });
  page.on('response', (r) => {
    if (r.status() >= 400 && !fine(r.url())) wrong.push(`status ${r.status()}: ${r.url()}`);
  });
  return wrong;
}

/** weigh counts the bytes that a page transfers, headers and compression included, until it is asked. */
export async function weigh(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Network.enable');
  let total = 0;
  let requests = 0;
  cdp.on('Network.loadingFinished', (e) => {
    total += e.encodedDataLength;
    requests++;
  });
  return () => ({ bytes: total, requests });
}

/** inked counts canvases below a selector that have something drawn on them, and all canvases. */
export function inked(page, selector) {
  return page.evaluate((within) => {
    const canvases = [...document.querySelectorAll(`${within} canvas`)];
    const drawn = canvases.filter((c) => {
      if (!c.width || !c.height) return false;
      // Reading from a copy: a canvas that is read itself becomes slow, and the browser complains.
      const copy = new OffscreenCanvas(c.width, c.height).getContext('2d', { willReadFrequently: true });
      copy.drawImage(c, 0, 0);
      const { data } = copy.getImageData(0, 0, c.width, c.height);
      let pixels = 0;
      for (let i = 3; i < data.length; i += 4) if (data[i] > 40) pixels++;
      return pixels > 8;
    });
    return { drawn: drawn.length, all: canvases.length };
  }, selector);
}
