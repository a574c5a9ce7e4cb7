// Host names folded to list expressions: n001 n002 n003 n007 -> n[001-003,007].

const numbered = /^(.*?)(\d+)(\D*)$/;

interface Part {
  digits: string;
  value: number;
}

/** fold writes hosts as a list expression, in order. Names without a number stand for themselves. */
export function fold(hosts: readonly string[]): string {
  const groups = new Map<string, Part[]>();
  const plain: string[] = [];
  for (const host of new Set(hosts)) {
    const m = numbered.exec(host);
    if (!m) {
      plain.push(host);
      continue;
    }
    const [, head = '', digits = '', tail = ''] = m;
    const key = JSON.stringify([head, tail]);
    const parts = groups.get(key) ?? [];
    parts.push({ digits, value: Number(digits) });
    groups.set(key, parts);
  }
  return [...plain.sort(), ...[...groups].map(foldGroup)].join(',');
}

function foldGroup([key, parts]: [string, Part[]]): string {
  const [head, tail] = JSON.parse(key) as [string, string];
  parts.sort((a, b) => a.value - b.value || a.digits.length - b.digits.length);
  const ranges: string[] = [];
  for (let i = 0; i < parts.length; ) {
    let last = i;
    while (last + 1 < parts.length && follows(parts[last]!, parts[last + 1]!)) last++;
    ranges.push(i === last ? parts[i]!.digits : `${parts[i]!.digits}-${parts[last]!.digits}`);
    i = last + 1;
  }
  const inside = ranges.join(',');
  return parts.length === 1 ? head + inside + tail : `${head}[${inside}]${tail}`;
}

// Numbers that are padded to different widths cannot share a range.
function follows(a: Part, b: Part): boolean {
  const sameForm = a.digits.length === b.digits.length || !(a.digits.startsWith('0') || b.digits.startsWith('0'));
  return b.value === a.value + 1 && sameForm;
}
