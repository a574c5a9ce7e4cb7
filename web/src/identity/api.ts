// The client of the interfaces that are about people: users, tokens, keys, sessions, roles and second factors.
import { data, records, request, sending } from '../lib/api';

const at = encodeURIComponent;

/** query writes the parameters that have a value. */
function query(parameters: object): string {
  const q = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) if (value !== undefined && value !== '' && value !== false) q.set(key, String(value));
  return q.size ? '?' + q : '';
}

// ---- users ----

export interface User {
  uid: string;
  name: string;
  full_name?: string;
  description?: string;
  roles?: string[] | string | null;
  projects?: string[] | null;
  disabled?: boolean;
  last_login?: number | null;
}

export const listUsers = async (): Promise<User[]> => records(await data<User[] | Record<string, User>>('/admins?as=objects'));

/** rolesOf reads both forms in which roles are sent. */
export function rolesOf(u: User): string[] {
  return typeof u.roles === 'string' ? u.roles.split(',').filter(Boolean) : (u.roles ?? []);
}

/** actAs makes this browser's session one in which its user acts as another; stopActing ends that. */
export const actAs = (user: string): Promise<unknown> => request('/impersonate', sending('POST', { user }));

// ---- tokens ----

/** Narrowing is how much less a token may do than its user. */
export interface Narrowing {
  permissions?: string[] | null;
  read_only?: boolean;
  nodes?: string;
  cidr?: string[] | null;
  clusters?: string[] | null;
}

export interface TokenWish extends Narrowing {
  lifetime: string;
  name?: string;
  purpose?: string;
}

export interface MintedToken {
  access_token: string;
  expires: number;
}

export const mintToken = (user: string, wish: TokenWish): Promise<MintedToken> => data(`/admin/${at(user)}/token`, sending('POST', wish));

export interface Token extends Narrowing {
  jti: string;
  type: string;
  user: string;
  issued_by?: string;
  kid?: string;
  name?: string;
  purpose?: string;
  issued: number;
  expires: number;
  last_used?: number | null;
  last_addr?: string;
  revoked?: number | null;
  revoked_by?: string;
}

export interface TokenFilter {
  user?: string;
  issuer?: string;
  type?: string;
  key?: string;
  state?: string;
  expiring?: string;
  all?: boolean;
  after?: string;
  limit?: number;
}

export const listTokens = (f: TokenFilter): Promise<Token[]> => data('/tokens' + query(f));

export const renameToken = (id: string, change: { name: string; purpose: string }): Promise<unknown> => data(`/token/${at(id)}`, sending('PATCH', change));

export const revokeToken = (id: string): Promise<unknown> => data(`/token/${at(id)}`, { method: 'DELETE' });

/** Selection is which tokens to revoke: exactly one member is set. */
export interface Selection {
  user?: string;
  issuer?: string;
  key?: string;
  all?: boolean;
}

/** revokeTokens revokes all that are selected and returns how many; with dryRun it only counts. */
export async function revokeTokens(s: Selection, dryRun: boolean): Promise<number> {
  const answer = await data<{ count: number }>('/tokens/revoke', sending('POST', { ...s, dry_run: dryRun }));
  return answer.count;
}

export interface Inspection {
  what: string;
  /** signed is whether the claims are true; otherwise somebody has merely written them. */
  signed: boolean;
  valid: boolean;
  reason?: string;
  claims?: Record<string, unknown> | null;
  header?: Record<string, unknown> | null;
  token?: Token | null;
}

/** inspectToken asks what a found token is. The text goes in the body, never in an address. */
export const inspectToken = (token: string): Promise<Inspection> => data('/tokens/inspect', sending('POST', { token }));

// ---- keys ----

export interface Key {
  kid: string;
  state: string;
  origin: string;
  created?: number | null;
  activated?: number | null;
  retired?: number | null;
  can_sign?: boolean;
}

export const listKeys = (): Promise<Key[]> => data('/keys');
export const rotateKeys = (): Promise<unknown> => data('/keys/rotate', sending('POST', {}));
/** removeKey revokes the tokens that the key has signed and returns how many; with dryRun it only counts. */
export const removeKey = (kid: string, dryRun: boolean): Promise<number> => data(`/key/${at(kid)}` + query(dryRun ? { dry_run: true } : { confirm: true }), { method: 'DELETE' });

// ---- sessions ----

export interface LoginSession {
  id: string;
  user: string;
  actor?: string;
  method?: string;
  created: number;
  seen: number;
  expires: number;
  addr?: string;
  agent?: string;
  current?: boolean;
}

export const listSessions = (user?: string): Promise<LoginSession[]> => data('/sessions' + query({ user }));
export const endSession = (id: string): Promise<unknown> => data(`/session/${at(id)}`, { method: 'DELETE' });
/** endSessions ends all sessions of a user but the one that asks. */
export const endSessions = (user?: string): Promise<unknown> => data('/sessions' + query({ user }), { method: 'DELETE' });

// ---- roles ----

export interface Role {
  uid: string;
  name: string;
  display: string;
  description: string;
  permissions: string[];
  delegates: string[];
  nodes?: string;
  max_lifetime?: number; // seconds, 0 for no limit
  system: boolean;
  changed?: boolean;
  modified?: number | null;
  modified_by?: string;
}

export interface PermissionInfo {
  name: string;
  description: string;
}

export const listRoles = async (): Promise<Role[]> => records(await data<Role[] | Record<string, Role>>('/roles?as=objects'));
export const permissionCatalogue = async (): Promise<PermissionInfo[]> => (await data<{ catalogue: PermissionInfo[] }>('/roles/meta')).catalogue;
export const createRole = (role: object): Promise<unknown> => data('/roles', sending('POST', role));
export const updateRole = (name: string, role: object): Promise<unknown> => data(`/role/${at(name)}`, sending('PATCH', role));
export const deleteRole = (name: string): Promise<unknown> => data(`/role/${at(name)}`, { method: 'DELETE' });

// ---- second factor ----

export interface SecondFactor {
  enabled: boolean;
  since?: number | null;
  recovery_left: number;
}

/** Holder is an account that has a second factor. */
export interface Holder {
  uid: string;
  since?: number | null;
}

export interface Enrolment {
  secret: string;
  uri: string; // the same, for a QR code
}

export const secondFactor = (user: string): Promise<SecondFactor> => data(`/admin/${at(user)}/totp`);
export const secondFactors = (): Promise<Holder[]> => data('/admins/totp');
export const enrolSecondFactor = (user: string): Promise<Enrolment> => data(`/admin/${at(user)}/totp`, sending('POST', {}));
export const confirmSecondFactor = (user: string, code: string): Promise<{ recovery_codes: string[] }> => data(`/admin/${at(user)}/totp/confirm`, sending('POST', { code }));
export const removeSecondFactor = (user: string, code?: string): Promise<unknown> => data(`/admin/${at(user)}/totp`, code ? sending('DELETE', { code }) : { method: 'DELETE' });
