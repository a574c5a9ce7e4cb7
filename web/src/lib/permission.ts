// The names of permissions, put into groups that people can read.

const pattern = /^(.+?)(Read|Write|PowerControl|ExecCommand|Admin(?!s))(.*)$/;

export interface Group {
  noun: string;
  permissions: { name: string; verb: string }[];
}

/** groupPermissions turns NodesRead, NodesWrite into Nodes: read, write. */
export function groupPermissions(names: readonly string[]): Group[] {
  const groups = new Map<string, Group['permissions']>();
  for (const name of names) {
    const m = pattern.exec(name);
    const [noun, verb] = m ? [m[1]!, m[2]! + m[3]!] : [name, ''];
    const words = verb.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
    groups.set(noun, [...(groups.get(noun) ?? []), { name, verb: words || 'yes' }]);
  }
  return [...groups].map(([noun, permissions]) => ({ noun, permissions })).sort((a, b) => a.noun.localeCompare(b.noun));
}
