import { expect, test } from 'vitest';
import { Queue } from './queue';

const tick = (): Promise<void> => new Promise((done) => setTimeout(done));

test('only so many run at a time, and all run in the end', async () => {
  const q = new Queue<number>(2);
  const ends: (() => void)[] = [];
  for (let i = 0; i < 5; i++) q.add(i, () => new Promise((done) => ends.push(done)));
  expect(ends).toHaveLength(2);
  for (let i = 0; i < 5; i++) {
    ends[i]!();
    await tick();
  }
  expect(ends).toHaveLength(5);
  expect(q.idle).toBe(true);
});

test('what is no longer wanted is aborted or never begun', async () => {
  const q = new Queue<string>(1);
  let aborted = false;
  let begun = false;
  q.add('a', (signal) => new Promise((done) => signal.addEventListener('abort', () => done(void (aborted = true)))));
  q.add('b', async () => void (begun = true));
  q.keep((key) => key === 'c');
  await tick();
  expect([aborted, begun, q.idle]).toEqual([true, false, true]);
});

test('work that fails does not stop the rest', async () => {
  const q = new Queue<string>(1);
  let done = false;
  q.add('bad', () => Promise.reject(new Error('no')));
  q.add('good', async () => void (done = true));
  await tick();
  expect(done).toBe(true);
});

test('the same work is not done twice at once', () => {
  const q = new Queue<string>(4);
  let times = 0;
  const work = (): Promise<void> => {
    times++;
    return new Promise(() => {});
  };
  q.add('a', work);
  q.add('a', work);
  expect(times).toBe(1);
});
