import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtInLists } from './list-keys.ts';
import { applied, type FieldManager, type FieldOwner, ownersAfterUpdate } from './server-side-apply.ts';

const by = (manager: string, operation: 'Apply' | 'Update' = 'Apply'): FieldManager => {
  return { manager, operation, apiVersion: 'apps/v1', subresource: '' };
};

/** An object that is applied and updated. */
function start() {
  let object: object = {};
  let owners: readonly FieldOwner[] = [];
  return {
    now: () => object,
    managers: () => owners.map(({ manager }) => manager),
    apply(manager: string, configuration: object, force = false) {
      const result = applied(object, owners, configuration, by(manager), builtInLists, force);
      object = result.fields;
      owners = result.owners;
    },
    update(manager: string, next: object) {
      owners = ownersAfterUpdate(object, next, owners, by(manager, 'Update'), builtInLists);
      object = next;
    },
  };
}

test('what a manager no longer applies is removed, unless another has it, too', () => {
  const { apply, now, managers } = start();
  apply('one', { data: { a: '1', b: '1', c: '1' }, metadata: { labels: { x: '1' } } });
  apply('two', { data: { b: '1', d: '2' } });
  apply('one', { data: { c: '1' } });
  assert.deepEqual(now(), { data: { b: '1', c: '1', d: '2' } });
  apply('two', {});
  assert.deepEqual(now(), { data: { c: '1' } });
  assert.deepEqual(managers(), ['one']);
});

test('another’s field is a conflict that names it, unless its value stays or the apply is forced', () => {
  const { apply, now, managers } = start();
  apply('one', { spec: { replicas: 1, template: { spec: { containers: [{ name: 'x', image: 'a' }] } } } });
  apply('two', { spec: { replicas: 1 } });
  const other = { spec: { replicas: 2, template: { spec: { containers: [{ name: 'x', image: 'b' }] } } } };
  assert.throws(() => apply('three', other), {
    status: 409,
    message:
      'Apply failed with 3 conflicts: conflicts with "one":\n- .spec.replicas\n' +
      '- .spec.template.spec.containers[name="x"].image\nconflicts with "two":\n- .spec.replicas',
  });
  apply('three', other, true);
  assert.deepEqual(now(), other);
  assert.deepEqual(managers(), ['one', 'three'], 'one still has the item of the list');
});

test('an update takes fields away from those who applied them', () => {
  const { apply, update, now } = start();
  apply('one', { data: { a: '1' } });
  update('kubectl-edit', { data: { a: '2', b: '2' } });
  assert.throws(() => apply('one', { data: { a: '1' } }), {
    message: 'Apply failed with 1 conflict: conflict with "kubectl-edit" using apps/v1: .data.a',
  });
  apply('one', {});
  assert.deepEqual(now(), { data: { a: '2', b: '2' } });
});

test('lists are merged by their keys, sets by value, other lists as a whole', () => {
  const { apply, now } = start();
  const container = (name: string, ports: object[] = []) => ({ name, ports });
  apply('one', {
    metadata: { finalizers: ['a/1'] },
    spec: { containers: [container('a', [{ containerPort: 80 }])], list: [1, 2] },
  });
  apply('two', {
    metadata: { finalizers: ['a/2'] },
    spec: { containers: [container('b'), { name: 'a', ports: [{ containerPort: 80, protocol: 'UDP' }] }] },
  });
  assert.throws(() => apply('two', { spec: { list: [1, 2, 3] } }), /conflict with "one": \.spec\.list$/);
  assert.deepEqual(now(), {
    metadata: { finalizers: ['a/1', 'a/2'] },
    spec: {
      containers: [
        container('b'),
        container('a', [{ containerPort: 80 }, { containerPort: 80, protocol: 'UDP' }]),
      ],
      list: [1, 2],
    },
  });
  apply('one', {});
  assert.deepEqual(now(), {
    metadata: { finalizers: ['a/2'] },
    spec: { containers: [container('b'), container('a', [{ containerPort: 80, protocol: 'UDP' }])] },
  });
});
