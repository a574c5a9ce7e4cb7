// What every page needs of the interfaces about people: how to log in, how to stop acting as another, and which of one's
// own tokens are about to end.
import { data, request, sending } from './api';

export interface LoginMethods {
  password: boolean;
  oidc?: { label: string } | null;
}

export const loginMethods = (): Promise<LoginMethods> => data('/login/methods');

export const stopActing = (): Promise<unknown> => request('/impersonate/stop', sending('POST', {}));

/** Refusal is why a login did not succeed. */
export interface Refusal {
  message: string;
  /** needsCode is for a password that was right and a second factor that is missing. */
  needsCode: boolean;
}

/** logIn sends the form of the login page without leaving it, so that a second step can follow. */
export async function logIn(form: URLSearchParams): Promise<Refusal | undefined> {
  const reply = await fetch('/login', { method: 'POST', body: form, redirect: 'manual', credentials: 'same-origin' }).catch(() => undefined);
  if (!reply) return { message: 'The server cannot be reached.', needsCode: false };
  if (reply.type === 'opaqueredirect' || reply.ok) return undefined;
  const page = new DOMParser().parseFromString(await reply.text(), 'text/html');
  const message = page.querySelector<HTMLMetaElement>('meta[name="login-error"]')?.content ?? `${reply.status} ${reply.statusText}`;
  return { message, needsCode: /one-time code/.test(message) };
}

/** Ending is a token that is about to end. */
export interface Ending {
  jti: string;
  name?: string;
  purpose?: string;
  issued: number;
  expires: number;
}

export const endingTokens = (within: string): Promise<Ending[]> => data('/tokens?' + new URLSearchParams({ type: 'service', expiring: within, limit: '50' }));
