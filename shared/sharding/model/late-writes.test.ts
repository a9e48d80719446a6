import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Patch } from '../../kube/api-client.ts';
import { isConflict, isInvalid } from '../../kube/errors.ts';
import { configMaps, secrets } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import { type ApiRequest, connectionError } from '../../testing/api-faults.ts';
import { childPatch, ownerPatch, working } from '../hand-over-fixture.ts';
import { assigned, controlledBy, drain, gate, ref } from '../shard-fixture.ts';

/** A write is held for so long: its deadline, and what the API server may be late in ending it. */
const boundMs = 4_500;

test('flaw-patch-rv: a last patch that lands long after its hand-over was taken back changes nothing', async () => {
  const { world, api, clock, shards, told } = await working();
  let late: Patch | undefined;
  api.fault({
    on: ownerPatch,
    error: connectionError(),
    meanwhile: ({ patch }) => {
      late = patch;
    },
  });
  world.drain('s', 'b');
  await clock.advance(100);
  assert.deepEqual(shards(), ['a', 'b'], 'the controlled object has gone ahead');
  world.drain('s', 'a');
  await clock.advance(boundMs + 1_000);
  assert.deepEqual(shards(), ['a', 'a']);
  assert(told('reconcile-begin').length > 0, 'it is worked on again');

  // Drained to the same shard again, its labels are what they were when the late patch was decided.
  const answers: unknown[] = [];
  assert.ok(late);
  const patch = late;
  api.fault({
    on: childPatch,
    meanwhile: () => {
      assert.deepEqual(
        [world.labels(secrets, 's')?.[assigned], world.labels(secrets, 's')?.[drain]],
        ['a', 'b'],
      );
      void api.patchMetadata(secrets, ref('s'), patch).catch((error: unknown) => answers.push(error));
    },
    delayMs: 1_000,
  });
  world.drain('s', 'b');
  await clock.advance(500);
  assert.deepEqual(answers.map(isInvalid), [true]);
  assert.deepEqual(shards(), ['a', 'a'], 'the owner does not go before what it controls');
});

test('late-rv-untouched-child: a hand-over that was taken back waits for its own late patches', async () => {
  const { world, api, clock, shards, told } = await working();
  api.fault({ on: childPatch, delayMs: 60_000, meanwhile: () => world.drain('s', 'a') });
  world.drain('s', 'b');
  await clock.advance(boundMs - 1);
  assert.equal(world.labels(secrets, 's')?.[drain], 'a', 'the patch of the controlled object may still land');
  assert.deepEqual(told('reconcile-begin'), []);
  await clock.advance(1_000);
  assert.deepEqual(shards(), ['a', 'a']);
  assert.equal(world.labels(secrets, 's')?.[drain], undefined);
  assert(told('reconcile-begin').length > 0);
});

for (const back of [false, true]) {
  const [flaw, what] = back
    ? ['late-label', 'that has gone and come back']
    : ['late-none', 'that has gone to another shard'];
  test(`${flaw}: an update that lands late changes nothing of a controlled object ${what}`, async () => {
    const held: KubeObject[] = [];
    const { world, api, clock, shards } = await working({
      reconcile: async ({ object, controlled, writer }) => {
        const [child] = controlled(configMaps);
        if (child === undefined) {
          await writer.create(configMaps, controlledBy(object, 's-sums'));
        } else if (child.metadata.annotations?.['touched'] !== undefined && held.length === 0) {
          held.push({ ...child, metadata: { ...child.metadata, annotations: { late: 'yes' } } });
          await writer.update(configMaps, held[0] ?? child);
        }
      },
    });
    // The client gives it up; the network does not.
    api.fault({ on: ({ verb }) => verb === 'update', delayMs: 60_000 });
    api.change(configMaps, ref('s-sums'), ({ metadata }) => {
      metadata.annotations = { touched: 'yes' };
    });
    await clock.advance(100);
    assert.equal(held.length, 1);
    world.drain('s', 'b');
    await clock.advance(boundMs - 200);
    assert.deepEqual(shards(), ['a', 'a'], 'nothing goes while the write may land');
    await clock.advance(1_000);
    assert.deepEqual(shards(), ['b', 'b']);
    if (back) {
      for (const [resource, name] of [
        [configMaps, 's-sums'],
        [secrets, 's'],
      ] as const)
        api.label(resource, ref(name), { [assigned]: 'a' });
    }
    assert.ok(held[0]);
    await assert.rejects(api.update(configMaps, held[0]), isConflict);
  });
}

test('late-label: an update that names no version is not sent, as nothing would keep it from landing late', async () => {
  const errors: unknown[] = [];
  const { api, clock } = await working({
    reconcile: async ({ object, writer }) => {
      const update = writer.update(configMaps, controlledBy(object, 's-sums'));
      await update.catch((error: unknown) => errors.push(error));
    },
  });
  await clock.advance(100);
  assert(errors.length > 0 && errors.every((error) => error instanceof TypeError));
  assert.deepEqual(
    api.writes().filter(({ verb }) => verb === 'update' || verb === 'create'),
    [],
  );
});

test('late-rv-create: no hand-over before a create of unknown fate can have landed, and what did goes along', async () => {
  const { world, api, clock, shards } = await working();
  const end = gate();
  const isCreate = ({ verb, resource }: ApiRequest): boolean =>
    verb === 'create' && resource === 'configmaps';
  api.remove(configMaps, ref('s-sums'));
  api.fault({ on: isCreate, error: connectionError(), meanwhile: () => end.resolve() });
  // No further reconcile makes it.
  api.fault({ on: isCreate, error: connectionError(), times: 100 });
  await clock.advance(10);
  await end.promise;
  world.drain('s', 'b');
  await clock.advance(boundMs - 500);
  assert.equal(shards()[0], 'a');
  world.configMap('s-sums', 's', 'a');
  await clock.advance(10_000);
  assert.deepEqual(shards(), ['b', 'b']);
});
