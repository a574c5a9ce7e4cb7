// Where the browser is, as reactive state, and how to go elsewhere without loading the page again.
import { href, matchPath, moved, type Match } from './route';

class Router {
  path = $state(location.pathname);
  query = $state.raw(new URLSearchParams(location.search));
  match: Match | undefined = $derived(matchPath(this.path));
  /**
   * prepare fetches what a page needs before it can be shown; undefined when it is there. Until then the old page stays,
   * with the old path and query: a page must never see the address of another.
   */
  prepare: (match: Match | undefined) => Promise<void> | undefined = () => undefined;

  constructor() {
    // The server answers POST /logout with the login page at that address; a reload should not ask for it again.
    if (this.path === '/logout') history.replaceState(null, '', '/login');
    addEventListener('popstate', () => this.#read());
    document.addEventListener('click', (event) => this.#click(event));
    this.#read();
  }

  /** go shows another address. With replace, the back button skips the present one. */
  go(to: string, options: { replace?: boolean } = {}): void {
    if (options.replace) {
      history.replaceState(history.state, '', to);
    } else {
      history.pushState(null, '', to);
    }
    this.#read();
    if (!options.replace) document.getElementById('main')?.focus({ preventScroll: true });
  }

  /** setQuery replaces the query of the present address, so that the view can be shared and reloaded. */
  setQuery(query: URLSearchParams): void {
    const text = query.toString();
    this.go(this.path + (text ? '?' + text : ''), { replace: true });
  }

  /** remember keeps a value with the present entry of the history, for when the user comes back to it. */
  remember(value: Record<string, unknown>): void {
    history.replaceState({ ...history.state, ...value }, '');
  }

  recall<T>(key: string): T | undefined {
    return history.state?.[key] as T | undefined;
  }

  #read(): void {
    const match = matchPath(location.pathname);
    const elsewhere = match && moved(match);
    if (elsewhere) history.replaceState(history.state, '', elsewhere);
    const wait = this.prepare(matchPath(location.pathname));
    if (wait) {
      void wait.then(() => this.#read());
      return;
    }
    this.path = location.pathname;
    this.query = new URLSearchParams(location.search);
  }

  #click(event: MouseEvent): void {
    const link = (event.target as Element).closest?.('a');
    if (!link || event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
    if (!matchPath(link.pathname)) return;
    event.preventDefault();
    if (link.hash && link.pathname === location.pathname) {
      document.getElementById(link.hash.slice(1))?.focus();
      return;
    }
    this.go(link.pathname + link.search);
  }
}

export const router = new Router();
export { href };
