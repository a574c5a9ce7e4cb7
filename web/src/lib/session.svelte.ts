// Who is logged in, and what he may do. The server decides again on every request; here it only decides what to show.
import { ApiError, onUnauthenticated, whoami, type Me } from './api';
import { router } from './router.svelte';

class Session {
  me = $state.raw<Me | undefined>();
  failure = $state('');
  /** settled is false until the server has told who we are. */
  settled = $state(false);

  async load(): Promise<void> {
    try {
      this.me = await whoami();
    } catch (err) {
      if (!(err instanceof ApiError && err.status === 401)) this.failure = (err as Error).message;
    } finally {
      this.settled = true;
    }
  }

  can(...any: string[]): boolean {
    return any.some((p) => this.me?.permissions.includes(p));
  }

  get seesJobs(): boolean {
    return this.can('JobsRead', 'JobsReadProject', 'JobsReadAll');
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
onUnauthenticated(() => session.lost());
