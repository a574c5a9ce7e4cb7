// Time that passes on a page: a clock, and work that is repeated while somebody looks.

/** every calls work again and again while the page is visible, and at once when it becomes visible after a while. */
export function every(seconds: number, work: () => void): () => void {
  let last = Date.now();
  const run = (): void => {
    if (document.hidden || Date.now() - last < seconds * 900) return;
    last = Date.now();
    work();
  };
  const timer = setInterval(run, seconds * 1000);
  document.addEventListener('visibilitychange', run);
  return () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', run);
  };
}

class Clock {
  /** now is the time in Unix seconds, moved on every few seconds. */
  now = $state(Math.floor(Date.now() / 1000));

  constructor() {
    every(5, () => (this.now = Math.floor(Date.now() / 1000)));
  }
}

export const time = new Clock();
