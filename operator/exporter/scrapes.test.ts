import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { type TestContext, test } from 'node:test';
import { Store } from '@controller-sharding/shared/kube/store.ts';
import { until } from '@controller-sharding/shared/kube/test-server.ts';
import { silentLogger as logger } from '@controller-sharding/shared/runtime/logger.ts';
import { startOpsServer } from '@controller-sharding/shared/server/ops-server.ts';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { theme, website } from '../webhosting/website-fixture.ts';
import { Scrapes } from './scrapes.ts';
import type { ShardRow } from './shard-metrics.ts';
import { type ThemeRow, themeRow } from './theme-metrics.ts';
import { type WebsiteRow, websiteRow } from './website-metrics.ts';

const rowOf = websiteRow('webhosting-operator');
const failed = (error: unknown): never => {
  throw error;
};

/** An exporter of so many Websites behind a real server. */
class World {
  readonly clock = new FakeClock();
  readonly websites = new Store<WebsiteRow>(failed);
  readonly themes = new Store<ThemeRow>(failed);
  ready: boolean | string = true;
  /** How often the text of the process's own metrics was asked for: so many scrapes have got to their end. */
  ended = 0;
  port = 0;

  static async start(t: TestContext, count: number): Promise<World> {
    const world = new World();
    for (let index = 0; index < count; index += 1) world.put(`website-${index}`);
    const { websites, themes, clock } = world;
    const registry = new Scrapes({
      caches: { websites, themes, shards: new Store<ShardRow>(failed) },
      ready: () => world.ready,
      own: {
        contentType: 'text/plain; version=0.0.4; charset=utf-8',
        async metrics() {
          world.ended += 1;
          return '# its own\n';
        },
      },
      clock,
    });
    const server = await startOpsServer({ address: '127.0.0.1:0', registry, logger });
    t.after(() => server.close());
    world.port = server.port;
    return world;
  }

  put(name: string, uid = `uid-of-${name}`): void {
    this.websites.set(`project/${name}`, rowOf(website({ name, uid })));
  }

  /** The answer, of which nothing has been read. */
  async scrape(): Promise<IncomingMessage> {
    const request = get({ port: this.port, path: '/metrics', agent: false });
    const [answer] = await once(request, 'response');
    return answer;
  }
}

async function textOf(answer: IncomingMessage): Promise<string> {
  answer.setEncoding('utf8');
  return (await answer.toArray()).join('');
}

test('before the caches are complete there is no answer that looks like one', async (t) => {
  const world = await World.start(t, 3);
  world.ready = 'not synced yet: websites';
  const early = await world.scrape();
  assert.deepEqual([early.statusCode, await textOf(early)], [503, 'not synced yet: websites\n']);
  world.ready = true;
  const answer = await world.scrape();
  assert.equal(answer.statusCode, 200);
  assert.match(answer.headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/);
  assert.match(await textOf(answer), /^kube_website_info\{[^]*# its own\n$/m);
});

test('a scrape shows one moment, whatever changes before it has been read', async (t) => {
  const world = await World.start(t, 20_000);
  const answer = await world.scrape();
  for (const name of ['website-1', 'website-19999']) {
    world.websites.delete(`project/${name}`);
    world.put(name, 'another uid');
  }
  world.put('new');
  world.websites.delete('project/website-10000');
  world.themes.set('late', themeRow(theme({}, 'late')));
  const text = await textOf(answer);
  assert.doesNotMatch(text, /another uid|"new"|"late"/);
  const lines = text.split('\n').filter((line) => line.startsWith('kube_'));
  assert.equal(lines.length, 20_000 * 8);
  assert.equal(new Set(lines).size, lines.length);
  assert.match(await textOf(await world.scrape()), /another uid/);
});

test('a reader that stops reading is waited for, without text that piles up, and for no longer than a minute', async (t) => {
  const world = await World.start(t, 50_000);
  const answer = await world.scrape();
  await world.clock.advance(59_000);
  assert.equal(world.ended, 0);
  const text = textOf(answer);
  const cut = assert.rejects(text, { code: 'ECONNRESET' });
  await world.clock.advance(1_000);
  await cut;
  assert.equal(world.ended, 0);
});

test('a reader that goes on in time gets all of it', async (t) => {
  const world = await World.start(t, 50_000);
  const answer = await world.scrape();
  await world.clock.advance(59_000);
  const text = await textOf(answer);
  assert.equal(text.split('\nkube_website_observed_generation{').length - 1, 50_000);
  assert.ok(text.endsWith('# its own\n'));
  assert.equal(world.clock.pending, 0);
});

test('of five readers at once the fifth is told to come later; one that goes away makes room', async (t) => {
  const world = await World.start(t, 50_000);
  const readers = await Promise.all([1, 2, 3, 4].map(() => world.scrape()));
  const fifth = await world.scrape();
  assert.deepEqual([fifth.statusCode, await textOf(fifth)], [503, '4 scrapes are under way\n']);
  readers.shift()?.destroy();
  await until(() => world.clock.pending === 3);
  const later = await world.scrape();
  assert.equal(later.statusCode, 200);
  assert.equal((await world.scrape()).statusCode, 503);
  for (const reader of [...readers, later]) reader.destroy();
  await until(() => world.clock.pending === 0);
  assert.equal(world.ended, 0);
});
