// Which page a path belongs to. The table is shared with the server (routes.json), which answers 404 for all else.
import routes from './routes.json';

export type RouteName = keyof typeof routes;

export interface Match {
  name: RouteName;
  params: Record<string, string>;
}

/** matchPath returns the route of a path, with or without a trailing slash. */
export function matchPath(path: string): Match | undefined {
  const parts = split(path);
  for (const [name, pattern] of Object.entries(routes)) {
    const params = matchParts(split(pattern), parts);
    if (params) return { name: name as RouteName, params };
  }
  return undefined;
}

function split(path: string): string[] {
  return path.split('/').filter((part) => part !== '');
}

function matchParts(pattern: string[], parts: string[]): Record<string, string> | undefined {
  if (pattern.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, want] of pattern.entries()) {
    const have = parts[i] ?? '';
    if (want.startsWith('{')) {
      params[want.slice(1, -1)] = decode(have);
    } else if (want !== have) {
      return undefined;
    }
  }
  return params;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** moved returns where the bookmark of another product's page lives here, undefined for our own pages. */
export function moved(match: Match): string | undefined {
  const p = match.params;
  switch (match.name) {
    case 'userJobs':
      return routes.jobs + '?' + new URLSearchParams({ user: p.name ?? '' });
    case 'userList':
      return routes.users;
    case 'config':
      return routes.account;
    case 'clusterNodes':
    case 'clusterNodeList':
      return routes.nodes + '?' + new URLSearchParams({ cluster: p.cluster ?? '' });
    case 'clusterNode':
      return href('node', { id: p.host ?? '' }) + '?' + new URLSearchParams({ cluster: p.cluster ?? '' });
    default:
      return undefined;
  }
}

/** href returns the path of a route with its parameters filled in. */
export function href(name: RouteName, params: Record<string, string | number> = {}): string {
  return routes[name].replace(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(String(params[key] ?? '')));
}
