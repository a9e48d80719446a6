import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Crash, CrashWorld } from './leader-crash-fixture.ts';

const owners = 20;
const quietMs = 15_000;

interface Change {
  before: string[];
  after: string[];
  /** Of the owners, to the shard `c`. */
  pinned?: number;
  act(world: CrashWorld): void;
}

const [two, three] = [
  ['a', 'b'],
  ['a', 'b', 'c'],
];
const join: Change = { before: two, after: three, act: (world) => void world.process('c') };
const changes: Record<string, Change> = {
  'a shard joins': join,
  'a shard joins to which a third of the owners is pinned': { ...join, pinned: 7 },
  'a shard leaves': { before: three, after: two, act: (world) => world.processes.get('c')?.end() },
  'a shard is killed': { before: three, after: two, act: (world) => world.processes.get('c')?.kill() },
};

/** Plays the change; returns where everything was and where it ends, and how often the leader wrote. */
async function play({ before, after, pinned = 0, act }: Change, crash?: Crash) {
  const world = new CrashWorld(owners);
  await world.begin(before, pinned);
  const began = world.assignments();
  world.crash(crash);
  act(world);
  if (crash) await world.until('another leader', () => world.leads === 'sharder-2', 90_000, 500);
  await world.clock.advance(5_000);
  await world.rests(after, 'level');
  const written = world.relabelled().length;
  await world.clock.advance(quietMs);
  const told = JSON.stringify(crash);
  assert.deepEqual(world.rules.broken, [], told);
  assert.equal(world.relabelled().length, written, `written at rest: ${told}`);
  world.stop.abort();
  await world.clock.advance(0);
  return { began, ended: world.assignments(), writes: world.writes };
}

for (const [name, change] of Object.entries(changes)) {
  test(`${name}, and the leader is killed after any one of its writes`, async (t) => {
    const whole = await play(change);
    t.diagnostic(`${whole.writes} writes`);
    assert(whole.writes >= 6);
    for (let afterWrite = 0; afterWrite <= whole.writes; afterWrite += 1) {
      for (const how of ['gone', 'cut-off'] as const) {
        const { began, ended } = await play(change, { afterWrite, how });
        // Levelling that has come within the band is not gone on with: what would have moved on stays where it was.
        const stayed = Object.keys(ended).filter((owner) => ended[owner] !== whole.ended[owner]);
        for (const owner of stayed)
          assert.equal(ended[owner], began[owner], `${how} after write ${afterWrite}`);
        assert(change === join || stayed.length === 0, `${how} after write ${afterWrite}: ${stayed.join()}`);
      }
    }
  });
}
