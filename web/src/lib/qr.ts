// QR codes as what a path in an SVG draws.
import { encode } from 'uqr';

/** Picture is a QR code: a square of so many units a side, and the path of what is dark in it. */
export interface Picture {
  side: number;
  path: string;
}

/** margin is what has to stay light around a code, in units, so that readers find it. */
const margin = 4;

/** draw makes the QR code of a text. Each run of dark units in a row is one rectangle. */
export function draw(text: string): Picture {
  const { data, size } = encode(text, { ecc: 'M', border: 0 });
  let path = '';
  for (const [y, row] of data.entries()) {
    for (let x = 0; x < size; x++) {
      const from = x;
      while (row[x]) x++;
      if (x > from) path += `M${from + margin} ${y + margin}h${x - from}v1h${from - x}z`;
    }
  }
  return { side: size + 2 * margin, path };
}
