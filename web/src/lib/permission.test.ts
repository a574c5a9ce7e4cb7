import { expect, test } from 'vitest';
import { groupPermissions } from './permission';

test('permissions are grouped by what they are about', () => {
  expect(groupPermissions(['NodesRead', 'AdminsWriteSelf', 'NodesPowerControl'])).toEqual([
    { noun: 'Admins', permissions: [{ name: 'AdminsWriteSelf', verb: 'write self' }] },
    { noun: 'Nodes', permissions: [{ name: 'NodesRead', verb: 'read' }, { name: 'NodesPowerControl', verb: 'power control' }] },
  ]);
});

test('a name of another pattern is a group of its own', () => {
  expect(groupPermissions(['UseAiAgent', 'MetricsAdmin'])).toEqual([
    { noun: 'Metrics', permissions: [{ name: 'MetricsAdmin', verb: 'admin' }] },
    { noun: 'UseAiAgent', permissions: [{ name: 'UseAiAgent', verb: 'yes' }] },
  ]);
});
