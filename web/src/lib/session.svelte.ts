// Who is logged in, and what he may do. The server decides again on every request; here it only decides what to show.
import { ApiError, onRefused, whoami, type Me } from './api';
import { router } from './router.svelte';

class Session {
  me = $state.raw<Me | undefined>();
  failure = $state('');
  /** settled is false until the server has told who we are. */
  settled = $state(false);
  #asking = false;

  async load(): Promise<void> {
    try {
      this.me = await whoami();
    } catch (err) {
      if (err instanceof ApiError && err.status === 401) this.lost();
      else this.failure = (err as Error).message;
    } finally {
      this.settled = true;
    }
  }

  can(...any: string[]): boolean {
    return any.some((p) => this.me?.permissions.includes(p));
  }

  /** actor is who acts as this user, '' for the user himself. */
  get actor(): string {
    return this.me?.token?.impersonated_by ?? '';
  }

  get seesJobs(): boolean {
    return this.can('JobsRead', 'JobsReadProject', 'JobsReadAll');
  }

  /**
   * doubt is for when the server refused with 401 or 403. Only the answer to who we are tells whether the login is over,
   * since one of its interfaces says 401 for lacking rights as well, or whether a second factor has come to be asked for.
   */
  async doubt(): Promise<void> {
    if (!this.me || this.#asking) return;
    this.#asking = true;
    const over = await whoami().then(
      (me) => {
        if (me.totp_required && !this.me?.totp_required) this.me = me;
        return false;
      },
      (err) => err instanceof ApiError && err.status === 401,
    );
    this.#asking = false;
    if (over) this.lost();
  }

  /** lost shows the login page; after the login the user is back where he was. */
  lost(): void {
    this.me = undefined;
    if (router.match?.name === 'login') return;
    const here = location.pathname + location.search;
    router.go('/login' + (here === '/' ? '' : '?' + new URLSearchParams({ redirect: here })), { replace: true });
  }
}

export const session = new Session();
onRefused(() => void session.doubt());
