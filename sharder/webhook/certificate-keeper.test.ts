import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { CertificateKeeper } from './certificate-keeper.ts';
import type { CertificateFound } from './certificate-source.ts';

const found = (certificate: string, problem?: unknown): CertificateFound => ({
  certificate: { certificate, key: 'key', authorities: 'authority' },
  problem,
});

function keep(first: CertificateFound | Error) {
  const clock = new FakeClock();
  const changes: string[] = [];
  const problems: string[] = [];
  const source = {
    description: 'a source',
    next: first,
    async read() {
      if (source.next instanceof Error) throw source.next;
      return source.next;
    },
  };
  const keeper = new CertificateKeeper({
    source,
    clock,
    logger: silentLogger,
    onChange: ({ certificate }) => changes.push(certificate),
    onProblem: (problem) => problems.push(problem),
  });
  const stop = new AbortController();
  const ended = keeper.run(stop.signal);
  return { keeper, clock, changes, problems, source, stop, ended };
}

test('a change is told once, ten seconds later at most', async () => {
  const { keeper, clock, changes, source, stop, ended } = keep(found('1'));
  await keeper.look(stop.signal);
  source.next = found('2');
  await clock.advance(10_000);
  await clock.advance(20_000);
  assert.deepEqual(changes, ['1', '2']);
  assert.equal(keeper.present?.certificate, '2');
  stop.abort();
  await ended;
});

test('what can’t be read leaves the last certificate in use, and is told once', async () => {
  const { keeper, clock, changes, problems, source, stop } = keep(new Error('broken'));
  await keeper.look(stop.signal);
  assert.deepEqual(changes, []);
  source.next = found('1');
  await clock.advance(10_000);
  source.next = new Error('broken again');
  await clock.advance(30_000);
  assert.deepEqual(changes, ['1']);
  assert.equal(keeper.present?.certificate, '1');
  assert.deepEqual(problems, [
    'no certificate for the webhook from a source, objects are labelled after their creation: broken',
    'no certificate for the webhook from a source, the one in use stays: broken again',
  ]);
});

test('one that serves, but can’t be renewed, is used, and the problem told once', async () => {
  const { keeper, clock, changes, problems, stop } = keep(found('1', new Error('immutable')));
  await keeper.look(stop.signal);
  await clock.advance(30_000);
  assert.deepEqual(changes, ['1']);
  assert.equal(problems.length, 1);
});
