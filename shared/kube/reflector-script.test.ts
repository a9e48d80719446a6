import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { silentLogger } from '../runtime/logger.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import type { ApiClient, ListPage, WatchEvent, WatchOptions } from './api-client.ts';
import { ApiError } from './errors.ts';
import { Reflector, type ReflectorOptions } from './reflector.ts';
import { configMaps } from './resources.ts';
import { until } from './test-server.ts';
import type { KubeObject } from './types.ts';

interface Settings extends KubeObject {
  data?: Record<string, string>;
}

type Step = WatchEvent<Settings> | Error | 'end';

const settings = (name: string, resourceVersion: string): Settings => ({
  metadata: { name, uid: `uid-${name}`, resourceVersion },
  data: { a: 'much' },
});
const initialEventsEnd: Step = { type: 'BOOKMARK', resourceVersion: '10', initialEventsEnd: true };
const forbidden = new ApiError(403, 'Forbidden', 'cannot watch configmaps');

/** A reflector whose API server has two pages, and of which the test writes what each watch brings. */
function scripted(
  t: TestContext,
  options: Partial<ReflectorOptions<Settings, KubeObject>>,
  ...watches: Step[][]
) {
  const clock = new FakeClock();
  const lists: number[] = [];
  const asked: WatchOptions[] = [];
  const told: unknown[] = [];
  async function* list(): AsyncGenerator<ListPage<Settings>> {
    lists.push(clock.monotonic());
    yield { items: [settings('a', '1'), settings('b', '2')], resourceVersion: '10', continue: 'more' };
    yield { items: [settings('c', '3')], resourceVersion: '10', continue: undefined };
  }
  async function* watch(watchOptions: WatchOptions): AsyncGenerator<WatchEvent<Settings>> {
    asked.push(watchOptions);
    const steps = watches.shift() ?? [];
    if (!(steps[0] instanceof Error)) watchOptions.onOpen?.();
    for (const step of steps) {
      if (step === 'end') return;
      if (step instanceof Error) throw step;
      yield step;
    }
    const { signal } = watchOptions;
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of all resources it has this one
  const client = {
    list,
    watch: (_resource: unknown, _form: unknown, watchOptions: WatchOptions) => watch(watchOptions),
  } as unknown as Pick<ApiClient, 'list' | 'watch'>;
  const reflector = new Reflector<Settings, KubeObject>(
    { client, resource: configMaps, form: 'full', clock, random: () => 1, logger: silentLogger, ...options },
    {
      replace: async (objects) => void told.push(['replace', ...objects.values()]),
      upsert: (_key, object) => void told.push(['upsert', object]),
      remove: (_key, last) => void told.push(['remove', last]),
    },
  );
  const stop = new AbortController();
  const running = reflector.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await running;
  });
  return { clock, lists, asked, told };
}

test('who may list but not watch gets a list every 10 s at least, and a watch as soon as that is allowed', async (t) => {
  const { clock, lists, asked, told } = scripted(t, {}, ...Array.from({ length: 8 }, () => [forbidden]), [
    initialEventsEnd,
  ]);
  await until(() => asked.length === 1);
  await clock.advance(60_000);
  assert.deepEqual(lists, [800, 2_400, 5_600, 12_000, 22_000, 32_000, 42_000, 52_000]);
  assert.equal(asked.length, 9);
  assert.equal(asked[8]?.resourceVersion, '10');
  assert.equal(told.filter((call) => Array.isArray(call) && call[0] === 'replace').length, 8);
});

test('a watch is asked to end after 5 to 10 minutes, at random', async (t) => {
  for (const [random, seconds] of [
    [0, 300],
    [0.5, 450],
    [0.999_999, 600],
  ] as const) {
    const { asked } = scripted(t, { random: () => random });
    await until(() => asked.length === 1);
    assert.equal(asked[0]?.timeoutSeconds, seconds);
  }
});

test('a bookmark moves the version on from which the next watch goes on', async (t) => {
  const bookmark: Step = { type: 'BOOKMARK', resourceVersion: '77', initialEventsEnd: false };
  const { asked } = scripted(t, {}, [initialEventsEnd, bookmark, 'end']);
  await until(() => asked.length === 2);
  assert.equal(asked[1]?.resourceVersion, '77');
  assert.equal(asked[1]?.sendInitialEvents, false);
});

const project = ({ metadata }: Settings): KubeObject => ({ metadata });
/** Asked before the projection: it sees the whole object. */
const keep = ({ metadata, data }: Settings): boolean => data !== undefined && metadata.name !== 'b';

test('objects are projected as they come with a watch, first ones, changes and deletions', async (t) => {
  const [a, b, c] = [settings('a', '1'), settings('b', '2'), settings('c', '11')];
  const { told } = scripted(t, { project, keep }, [
    { type: 'ADDED', object: a },
    { type: 'ADDED', object: b },
    initialEventsEnd,
    { type: 'ADDED', object: c },
    { type: 'MODIFIED', object: settings('c', '12') },
    { type: 'DELETED', object: settings('a', '13') },
  ]);
  await until(() => told.length === 4);
  assert.deepEqual(told, [
    ['replace', project(a)],
    ['upsert', project(c)],
    ['upsert', project(settings('c', '12'))],
    ['remove', project(settings('a', '13'))],
  ]);
});

test('objects are projected as they come with the pages of a list', async (t) => {
  const { told } = scripted(t, { project, keep }, [new ApiError(422, 'Invalid', 'no watch lists')]);
  await until(() => told.length === 1);
  assert.deepEqual(told, [['replace', project(settings('a', '1')), project(settings('c', '3'))]]);
});
