/** The rights in the manifests are enough, and none of them is one too many: the table in manifests/README.md. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { isNotFound } from '@controller-sharding/shared/kube/errors.ts';
import { systemClock } from '@controller-sharding/shared/runtime/clock.ts';
import { waitFor } from '../harness/wait-for.ts';
import { exporterScene } from './rbac-exporter.ts';
import { operatorScene } from './rbac-operator.ts';
import { RightsPlane } from './rbac-plane.ts';
import type { Scenario, Scene } from './rbac-scene.ts';
import { sharderScene } from './rbac-sharder.ts';
import { documentedRights, givenRights, type NeededRight, textOf } from './rbac-table.ts';

const provenElsewhere = 'policies.e2e.ts';
/** With all rights, each scenario but those that wait for something is done sooner. */
const afterwardsMs = 2_000;
const table = await documentedRights();
const operators = ['operators/webhosting', 'operators/webhosting-exporter'];

test('the table has each right that the manifests give, once', async () => {
  const given = await givenRights([
    'sharder/base/cluster-role.yaml',
    'sharder/base/role.yaml',
    'operators/webhosting/sharder-rights.yaml',
    'operators/webhosting/cluster-role.yaml',
    'operators/webhosting/namespace.yaml',
    'operators/webhosting-exporter/rights.yaml',
  ]);
  assert.deepEqual(table.map(textOf).toSorted(), given.map(textOf).toSorted());
});

/** What isn't there yet isn't as it should be. */
const isDone = (scenario: Scenario): Promise<boolean> =>
  scenario.isDone().catch((error: unknown) => {
    if (isNotFound(error)) return false;
    throw error;
  });

/** An orphan's Lease goes after a minute; a shard waits 15 s for what hangs. */
const done = (name: string, scenario: Scenario): Promise<boolean> =>
  waitFor(name, () => isDone(scenario), { timeoutMs: 90_000, everyMs: 200 });

function scenarioOf({ scenarios }: Scene, name: string): Scenario {
  const found = scenarios[name];
  assert.ok(found, `there is no scenario "${name}"`);
  return found;
}

async function playAll(plane: RightsPlane, scene: Scene): Promise<void> {
  const since = await plane.noted();
  await scene.begin();
  try {
    await done(scene.first, scenarioOf(scene, scene.first));
    for (const [name, scenario] of Object.entries(scene.scenarios)) {
      await scenario.act();
      await done(name, scenario);
    }
  } finally {
    await scene.end();
  }
  assert.deepEqual(await plane.refusals(scene.account, since), []);
}

/** A request is refused for want of the right, and what should come of the scenario doesn't. */
async function playWithout(plane: RightsPlane, scene: Scene, right: NeededRight): Promise<void> {
  const scenario = scenarioOf(scene, right.scenario);
  const since = await plane.noted();
  const isMissed = async (): Promise<boolean> =>
    (await plane.refusals(scene.account, since)).some(
      ({ verb, group, resource }) =>
        verb === right.verb && group === right.group && resource === right.resource,
    );
  await scene.begin();
  try {
    if (right.scenario !== scene.first) await done(scene.first, scenarioOf(scene, scene.first));
    await scenario.act();
    const asked = async (): Promise<boolean> => {
      const isOver = await isDone(scenario);
      if (await isMissed()) return true;
      assert.ok(!isOver || right.isForSpeed, 'it is done without the right');
      return false;
    };
    await waitFor(`${textOf(right)} to be missed`, asked, { timeoutMs: 90_000, everyMs: 200 });
    if (right.isForSpeed) return;
    await systemClock.sleep(afterwardsMs);
    assert.equal(await isDone(scenario), false, 'it is done without the right');
  } finally {
    await scene.end();
  }
}

/** `part`: of the rights, every so many, from this one on. */
async function prove(
  t: TestContext,
  plane: RightsPlane,
  scene: Scene,
  roles: readonly string[],
  part = { index: 0, of: 1 },
): Promise<void> {
  if (part.index === 0) await t.test('with all rights, nothing is refused', () => playAll(plane, scene));
  const rights = table
    .filter(({ role }) => roles.includes(role))
    .filter((_, i) => i % part.of === part.index);
  for (const right of rights) {
    if (right.scenario.startsWith(provenElsewhere)) continue;
    await t.test(`without: ${textOf(right)}: ${right.scenario}`, () =>
      plane.without(right, scene.account, () => playWithout(plane, scene, right)),
    );
  }
}

test('rights', { concurrency: true, timeout: 590_000 }, async (t) => {
  const sharder = t.test('of the sharder', async (side) => {
    const plane = await RightsPlane.start(side, ['crds', 'sharder/default', ...operators]);
    const scene = await sharderScene(side, plane);
    await prove(side, plane, scene, ['sharder', 'Role sharder', 'sharder-webhosting-operator']);
  });
  // A shard waits 10 s before it works on objects that were its own before: half of the time for each of two.
  const shards = [0, 1].map((index) =>
    t.test(`of a shard, part ${index + 1}`, async (side) => {
      const plane = await RightsPlane.start(side, ['crds', ...operators]);
      const scene = await operatorScene(side, plane);
      const roles = ['webhosting-operator', 'Role webhosting-operator'];
      await prove(side, plane, scene, roles, { index, of: 2 });
    }),
  );
  const exporter = t.test('of the exporter', async (side) => {
    const plane = await RightsPlane.start(side, ['crds', ...operators]);
    const scene = await exporterScene(plane);
    await prove(side, plane, scene, ['webhosting-exporter', 'Role webhosting-exporter']);
  });
  await Promise.all([sharder, ...shards, exporter]);
});
