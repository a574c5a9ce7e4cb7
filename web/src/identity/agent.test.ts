import { expect, test } from 'vitest';
import { browserOf } from './agent';

test('browsers are told apart, though each claims to be the others', () => {
  const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36';
  expect(browserOf(chrome)).toBe('Chrome 131 on Linux');
  expect(browserOf(chrome + ' Edg/131.0.0.0')).toBe('Edge 131 on Linux');
  expect(browserOf('Mozilla/5.0 (Windows NT 10.0; rv:133.0) Gecko/20100101 Firefox/133.0')).toBe('Firefox 133 on Windows');
  expect(browserOf('Mozilla/5.0 (Macintosh; Intel Mac OS X 14_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15')).toBe('Safari 18 on macOS');
});

test('what is no browser is shown as it is', () => {
  expect(browserOf('curl/8.14.1')).toBe('curl/8.14.1');
  expect(browserOf('x'.repeat(100))).toHaveLength(60);
  expect(browserOf('')).toBe('unknown browser');
});
