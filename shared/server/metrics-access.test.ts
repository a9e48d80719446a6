import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiClient } from '../kube/api-client.ts';
import type { KubeObject } from '../kube/types.ts';
import { silentLogger } from '../runtime/logger.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { MetricsAccess } from './metrics-access.ts';

/** An API server that knows the tokens `reader` and `stranger`, whose users have these names. */
function world() {
  const clock = new FakeClock();
  const asked: KubeObject[] = [];
  const may = new Set(['reader']);
  let down = false;
  const client: Pick<ApiClient, 'create'> = {
    async create<T extends KubeObject>(_resource: unknown, object: object): Promise<T> {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a review, as it is made here
      const review = object as KubeObject & { spec: { token?: string; user?: string } };
      asked.push(review);
      if (down) throw new Error('unreachable');
      const { token, user = '' } = review.spec;
      const status =
        token === undefined
          ? { allowed: may.has(user) }
          : ['reader', 'stranger'].includes(token)
            ? { authenticated: true, user: { username: token, groups: ['g'], uid: 'u', extra: { e: ['x'] } } }
            : { authenticated: false };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a review with its answer
      return { ...review, status } as unknown as T;
    },
  };
  const access = new MetricsAccess({ client, clock, logger: silentLogger });
  const check = async (authorization?: string): Promise<number> =>
    (await access.check('/metrics', authorization))?.status ?? 200;
  return { access, clock, asked, may, check, setDown: (value: boolean) => (down = value) };
}

test('without a bearer token nobody is asked', async () => {
  const { check, asked } = world();
  for (const header of [undefined, '', 'Bearer', 'Bearer ', 'Basic cmVhZGVyOng=', 'Bearer a b']) {
    assert.equal(await check(header), 401, header);
  }
  assert.deepEqual(asked, []);
});

test('who may get the path passes, others don’t', async () => {
  const { access, check } = world();
  assert.equal(await check('Bearer reader'), 200);
  assert.equal(await check('bearer  reader'), 200);
  assert.deepEqual(await access.check('/metrics', 'Bearer stranger'), {
    status: 403,
    message: 'stranger may not get /metrics (nonResourceURLs)',
  });
  assert.equal(await check('Bearer unknown'), 401);
});

test('the API server is asked about the user as it described them', async () => {
  const { check, asked } = world();
  await check('Bearer reader');
  assert.deepEqual(
    asked.map((review) => [review.kind, 'spec' in review && review.spec]),
    [
      ['TokenReview', { token: 'reader' }],
      [
        'SubjectAccessReview',
        {
          nonResourceAttributes: { path: '/metrics', verb: 'get' },
          user: 'reader',
          groups: ['g'],
          uid: 'u',
          extra: { e: ['x'] },
        },
      ],
    ],
  );
});

test('a yes holds a minute, a no ten seconds', async () => {
  const { clock, check, asked, may } = world();
  assert.deepEqual([await check('Bearer reader'), await check('Bearer stranger')], [200, 403]);
  may.delete('reader');
  may.add('stranger');
  await clock.advance(9_900);
  assert.deepEqual([await check('Bearer reader'), await check('Bearer stranger')], [200, 403]);
  assert.equal(asked.length, 4);
  await clock.advance(100);
  assert.deepEqual([await check('Bearer reader'), await check('Bearer stranger')], [200, 200]);
  await clock.advance(50_000);
  assert.equal(await check('Bearer reader'), 403);
});

test('scrapes of one token at once ask once', async () => {
  const { check, asked } = world();
  const answers = await Promise.all(Array.from({ length: 20 }, () => check('Bearer reader')));
  assert.deepEqual(new Set(answers), new Set([200]));
  assert.equal(asked.length, 2);
});

test('an API server that fails lets nobody in, and is asked again', async () => {
  const { check, setDown } = world();
  setDown(true);
  assert.equal(await check('Bearer reader'), 500);
  setDown(false);
  assert.equal(await check('Bearer reader'), 200);
});

test('invented tokens can’t have the API server asked without end', async () => {
  const { check, asked, clock } = world();
  await check('Bearer reader');
  asked.length = 0;
  const answers = await Promise.all(Array.from({ length: 1_000 }, (_, i) => check(`Bearer ${i}`)));
  assert.equal(asked.length, 49);
  assert.equal(answers.filter((status) => status === 429).length, 951);
  assert.equal(await check('Bearer reader'), 200);
  await clock.advance(1_000);
  await Promise.all(Array.from({ length: 1_000 }, (_, i) => check(`Bearer later-${i}`)));
  assert.equal(asked.length, 59);
});
