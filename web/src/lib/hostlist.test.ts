import { expect, test } from 'vitest';
import { fold } from './hostlist';

test.each([
  [[], ''],
  [['n01'], 'n01'],
  [['n01', 'n02', 'n03', 'n07'], 'n[01-03,07]'],
  [['n3', 'n1', 'n2'], 'n[1-3]'],
  [['n9', 'n10'], 'n[9-10]'],
  [['n09', 'n10'], 'n[09-10]'],
  [['n09', 'n010'], 'n[09,010]'],
  [['login', 'n01', 'n01'], 'login,n01'],
  [['r1n1.ib', 'r1n2.ib'], 'r1n[1-2].ib'],
])('fold(%j) is %s', (hosts, want) => expect(fold(hosts)).toBe(want));
