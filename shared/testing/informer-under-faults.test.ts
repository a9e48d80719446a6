import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Arbitrary,
  array,
  assert as assertProperty,
  asyncProperty,
  boolean,
  constant,
  constantFrom,
  integer,
  oneof,
  record,
} from 'fast-check';
import { ApiError } from '../kube/errors.ts';
import { Informer } from '../kube/informer.ts';
import { configMaps } from '../kube/resources.ts';
import { type KubeObject, objectKey } from '../kube/types.ts';
import { silentLogger } from '../runtime/logger.ts';
import { connectionError } from './api-faults.ts';
import { FakeClock } from './fake-clock.ts';
import { labelSelector } from './label-selector.ts';
import { MemoryApi } from './memory-api.ts';

const runs = 2_000;

/** What the API server answers, or doesn't, to a list or watch. */
const errors = [
  connectionError(),
  new ApiError(503, 'ServiceUnavailable', 'not now', 3_000),
  new ApiError(429, 'TooManyRequests', 'too many requests'),
  new ApiError(500, 'InternalError', 'etcd is away'),
  new ApiError(410, 'Expired', 'too old resource version'),
  new ApiError(401, 'Unauthorized', 'the token has expired'),
];

const name = constantFrom('a', 'b', 'c', 'd');
const label = constantFrom('in', 'out', undefined);
const anyError = constantFrom(...errors);

type ValueOf<A> = A extends Arbitrary<infer V> ? V : never;
type Step = ValueOf<typeof step>;
const step = oneof(
  { weight: 6, arbitrary: record({ do: constant('write' as const), name, label }) },
  { weight: 3, arbitrary: record({ do: constant('delete' as const), name }) },
  { weight: 1, arbitrary: record({ do: constant('replace' as const), name, label }) },
  {
    weight: 5,
    arbitrary: record({
      do: constant('wait' as const),
      ms: constantFrom(0, 0, 100, 1_000, 5_000, 40_000, 400_000),
    }),
  },
  {
    weight: 3,
    arbitrary: record({
      do: constantFrom('breakWatches', 'endWatches', 'compact', 'hold', 'letGoOn', 'bookmark', 'down', 'up'),
    }),
  },
  {
    weight: 2,
    arbitrary: record({
      do: constant('fail' as const),
      verb: constantFrom('list', 'watch'),
      error: anyError,
      times: integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: record({ do: constant('slow' as const), ms: integer({ min: 0, max: 70_000 }) }),
  },
);

const history = record({
  selector: constantFrom(undefined, 'app=in'),
  refusesWatchList: boolean(),
  latencyMs: constantFrom(0, 0, 50),
  pageSize: integer({ min: 1, max: 3 }),
  seed: integer({ min: 1, max: 0x7fff_fffe }),
  steps: array(step, { maxLength: 25 }),
});

test('whatever happens to lists and watches, the cache and its handlers tell in the end what the API server has', async () => {
  const check = asyncProperty(history, play);
  await assertProperty(check, { numRuns: runs });
});

async function play({
  selector,
  refusesWatchList,
  latencyMs,
  pageSize,
  seed,
  steps,
}: ValueOf<typeof history>) {
  const clock = new FakeClock();
  const api = new MemoryApi(clock);
  api.refusesWatchList = refusesWatchList;
  const informer = new Informer<KubeObject>({
    client: api.client({ user: 'informer', latencyMs, pageSize }),
    resource: configMaps,
    form: 'full',
    labelSelector: selector,
    clock,
    random: randomFrom(seed),
    logger: silentLogger,
  });
  const story = new Story();
  informer.addHandler(story);
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  for (const next of steps) await take(next, api, clock);

  api.comeUp();
  api.letWatchesGoOn(configMaps);
  await clock.advance(400_000);
  const matches = labelSelector(selector);
  const expected = api.all(configMaps).filter(({ metadata }) => matches(metadata.labels));
  const known = informer.store
    .list()
    .toSorted((a, b) => (objectKey(a.metadata) < objectKey(b.metadata) ? -1 : 1));
  stop.abort();
  await running;
  assert(informer.hasSynced);
  assert.deepEqual(known, expected, 'the cache');
  assert.deepEqual(story.objects, new Map(expected.map((object) => [objectKey(object.metadata), object])));
  const mostRequests = 10 + 8 * steps.length + clock.monotonic() / 10_000;
  assert(api.requests.length <= mostRequests, `${api.requests.length} requests of ${mostRequests}`);
}

/** What handlers are told has to fit together. */
class Story {
  readonly objects = new Map<string, KubeObject>();

  added(object: KubeObject): void {
    const key = objectKey(object.metadata);
    assert(!this.objects.has(key), `${key} added twice`);
    this.objects.set(key, object);
  }

  updated(old: KubeObject, now: KubeObject): void {
    const key = objectKey(now.metadata);
    assert.equal(this.objects.get(key), old, `${key} updated from what was not told`);
    assert.equal(old.metadata.uid, now.metadata.uid);
    assert(Number(old.metadata.resourceVersion) < Number(now.metadata.resourceVersion), `${key} went back`);
    this.objects.set(key, now);
  }

  deleted(last: KubeObject): void {
    const key = objectKey(last.metadata);
    assert.equal(this.objects.get(key)?.metadata.uid, last.metadata.uid, `${key} deleted, but not told`);
    this.objects.delete(key);
  }
}

async function take(next: Step, api: MemoryApi, clock: FakeClock): Promise<void> {
  switch (next.do) {
    case 'write':
      write(api, next.name, next.label);
      break;
    case 'delete':
      if (api.peek(configMaps, at(next.name))) api.remove(configMaps, at(next.name));
      break;
    case 'replace':
      if (api.peek(configMaps, at(next.name))) api.remove(configMaps, at(next.name));
      write(api, next.name, next.label);
      break;
    case 'wait':
      await clock.advance(next.ms);
      break;
    case 'fail':
      api.fault({
        on: ({ verb, user }) => verb === next.verb && user === 'informer',
        error: next.error,
        times: next.times,
      });
      break;
    case 'slow':
      api.delayWatches(() => next.ms / 10);
      api.fault({ on: ({ verb }) => verb === 'list' || verb === 'watch', delayMs: next.ms });
      break;
    case 'breakWatches':
      api.breakWatches();
      break;
    case 'endWatches':
      api.endWatches();
      break;
    case 'compact':
      api.compact();
      break;
    case 'hold':
      api.holdWatches(configMaps);
      break;
    case 'letGoOn':
      api.letWatchesGoOn(configMaps);
      break;
    case 'bookmark':
      api.bookmark();
      break;
    case 'down':
      api.goDown();
      break;
    default:
      api.comeUp();
  }
}

const at = (called: string) => ({ namespace: 'default', name: called });
let writes = 0;

function write(api: MemoryApi, called: string, app: string | undefined): void {
  writes += 1;
  const labels = app === undefined ? {} : { app };
  const content = { data: { writes: String(writes) } };
  if (api.peek(configMaps, at(called))) {
    api.change(configMaps, at(called), (object) => (Object.assign(object, content).metadata.labels = labels));
  } else {
    api.seed(configMaps, { metadata: { ...at(called), labels }, ...content });
  }
}

/** Park and Miller's generator: the same numbers for a seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 0x7fff_ffff;
    return state / 0x7fff_ffff;
  };
}
