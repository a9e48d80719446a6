import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../runtime/logger.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { ApiError, TransportError } from './errors.ts';
import { firstContact } from './first-contact.ts';

const refused = new TransportError('KUBE_CONNECTION', 'connection refused');
const answer = { status: 200, headers: {}, body: '{}' };

function contact(answers: Array<typeof answer | Error>) {
  const clock = new FakeClock();
  let asked = 0;
  const request = async (): Promise<typeof answer> => {
    const next = answers[Math.min(asked, answers.length - 1)] ?? answer;
    asked += 1;
    if (next instanceof Error) throw next;
    return next;
  };
  const done = firstContact({ request }, clock, silentLogger, new AbortController().signal);
  return { clock, done, asked: () => asked };
}

test('an API server that is away for a while is waited for', async () => {
  const { clock, done, asked } = contact([refused, refused, answer]);
  await clock.advance(3_000);
  await done;
  assert.equal(asked(), 3);
});

test('after a minute the last error is thrown', async () => {
  const { clock, done } = contact([refused]);
  const failed = assert.rejects(done, refused);
  await clock.advance(62_000);
  await failed;
});

test('credentials that are refused are not tried again', async () => {
  const unauthorized = new ApiError(401, 'Unauthorized', 'Unauthorized');
  const { done, asked } = contact([unauthorized]);
  await assert.rejects(done, unauthorized);
  assert.equal(asked(), 1);
});
