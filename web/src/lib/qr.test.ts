import { expect, test } from 'vitest';
import { draw, type Picture } from './qr';

const uri = 'otpauth://totp/head1:ann?algorithm=SHA1&digits=6&issuer=head1&period=30&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';

/** units paints a picture on squared paper. */
function units({ side, path }: Picture): boolean[][] {
  const paper = Array.from({ length: side }, () => new Array<boolean>(side).fill(false));
  const runs = [...path.matchAll(/M(\d+) (\d+)h(\d+)v1h-(\d+)z/g)];
  expect(runs.map((r) => r[0]).join('')).toBe(path);
  for (const [, x, y, to, back] of runs) {
    expect(back).toBe(to);
    for (let i = 0; i < Number(to); i++) paper[Number(y)]![Number(x) + i] = true;
  }
  return paper;
}

test('there is a light margin of four units around the code', () => {
  const paper = units(draw(uri));
  const dark = paper.flatMap((row, y) => row.flatMap((on, x) => (on ? [x, y] : [])));
  expect(Math.min(...dark)).toBe(4);
  expect(Math.max(...dark)).toBe(paper.length - 5);
  expect((paper.length - 8 - 17) % 4).toBe(0); // a size that codes have
});

test('three corners have the squares by which readers find a code', () => {
  const paper = units(draw(uri));
  const far = paper.length - 4 - 7;
  const square = ['#######', '#     #', '# ### #', '# ### #', '# ### #', '#     #', '#######'].join('\n');
  for (const [x, y] of [[4, 4], [far, 4], [4, far]] as const) {
    expect(paper.slice(y, y + 7).map((row) => row.slice(x, x + 7).map((on) => (on ? '#' : ' ')).join('')).join('\n')).toBe(square);
  }
});

test('another secret is another code', () => {
  expect(draw(uri).path).not.toBe(draw(uri.replace('JBSW', 'KBSW')).path);
});
