import { expect, test } from 'vitest';
import { href, matchPath, moved } from './route';

test('a path matches with and without a trailing slash', () => {
  expect(matchPath('/monitoring/jobs')?.name).toBe('jobs');
  expect(matchPath('/monitoring/jobs/')?.name).toBe('jobs');
  expect(matchPath('/')?.name).toBe('home');
});

test('parameters are decoded', () => {
  expect(matchPath('/nodes/n%20001')).toEqual({ name: 'node', params: { id: 'n 001' } });
});

test('a broken escape is kept as it is', () => {
  expect(matchPath('/nodes/%E0%A4%A')?.params.id).toBe('%E0%A4%A');
});

test('an unknown path has no route', () => {
  expect(matchPath('/monitoring/job/')).toBeUndefined();
  expect(matchPath('/nope')).toBeUndefined();
});

test('bookmarks of other pages lead to ours', () => {
  expect(moved(matchPath('/monitoring/user/bob')!)).toBe('/monitoring/jobs/?user=bob');
  expect(moved(matchPath('/monitoring/node/alpha/n01')!)).toBe('/nodes/n01?cluster=alpha');
  expect(moved(matchPath('/monitoring/jobs/')!)).toBeUndefined();
});

test('href escapes parameters', () => {
  expect(href('job', { id: 7 })).toBe('/monitoring/job/7');
  expect(href('node', { id: 'a/b' })).toBe('/nodes/a%2Fb');
});
