import { expect, test } from 'vitest';
import { download, recoveryFile, spaced, typed } from './factor';

test('a secret is written in groups of four', () => {
  expect(spaced('JBSWY3DPEHPK3PXP')).toBe('JBSW Y3DP EHPK 3PXP');
  expect(spaced('JBSWY')).toBe('JBSW Y');
  expect(spaced('')).toBe('');
});

test('blanks in a code do not count', () => {
  expect(typed(' 123 456\t')).toBe('123456');
  expect(typed('abcd-efgh-ijkl-mnop ')).toBe('abcd-efgh-ijkl-mnop');
});

test('the file with recovery codes says whose they are, and has one a line', () => {
  const text = recoveryFile(['a-b', 'c-d'], 'ann', 'head1:8080');
  expect(text).toMatch(/^Recovery codes of ann at head1:8080\n/);
  expect(text.endsWith('\n\na-b\nc-d\n')).toBe(true);
  expect(decodeURIComponent(download(text).replace(/^data:text\/plain;charset=utf-8,/, ''))).toBe(text);
});

test('nothing in a name ends the address early', () => {
  expect(download('a&b #c\n"d"')).toBe('data:text/plain;charset=utf-8,a%26b%20%23c%0A%22d%22');
});
