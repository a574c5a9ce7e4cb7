import { expect, test } from 'vitest';
import { fieldOf, lifetimeText } from './role';

test.each([
  ['unknown permission "NodesFly"; the catalogue has names such as NodesRead or ImagesWrite', 'permissions'],
  ['the limit to nodes "n[1-" is not valid: host list "n[1-": character 5: expected a number', 'nodes'],
  ['role role.King gives rights that you may not hand on: ClusterWrite', 'permissions'],
  ['role name "superuser" is not valid: role. and then 1 to 64 letters and digits', 'name'],
  ['invalid lifetime "soon"', 'max_lifetime'],
  ['there is a role role.NightShift already', 'name'],
  ['the server cannot be reached', ''],
])('%s', (message, field) => {
  expect(fieldOf(message)).toBe(field);
});

test('a lifetime is written with the largest unit that says it exactly', () => {
  expect([43_200, 86_400 * 30, 5400, 61].map(lifetimeText)).toEqual(['12h', '30d', '90m', '61s']);
});
