// Which field of the form of a role an error of the server is about.

const fields = {
  name: /role name|there is a role/i,
  max_lifetime: /lifetime|duration/i,
  nodes: /\bnodes?\b|host list|hostlist|expression/i,
  delegates: /delegat/i,
  permissions: /permission|gives rights/i,
  description: /description/i,
  display: /display/i,
} as const;

export type RoleField = keyof typeof fields;

// The order in which words decide: a message about permissions may speak of nodes as well.
const order: readonly RoleField[] = ['max_lifetime', 'delegates', 'permissions', 'nodes', 'display', 'description', 'name'];

/** fieldOf returns the field, '' when the message does not say. */
export function fieldOf(message: string): RoleField | '' {
  return order.find((f) => fields[f].test(message)) ?? '';
}

/** lifetimeText writes seconds as the form takes them: the largest unit that says it exactly. */
export function lifetimeText(seconds: number): string {
  const [size, unit] = ([[86_400, 'd'], [3600, 'h'], [60, 'm']] as const).find(([n]) => seconds % n === 0) ?? [1, 's'];
  return `${seconds / size}${unit}`;
}
