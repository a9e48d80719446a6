import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, TransportError } from './errors.ts';
import { retryDelayMs } from './request-retry.ts';

const answer = (status: number, retryAfterMs?: number): ApiError =>
  new ApiError(status, 'Unknown', 'no', retryAfterMs);

for (const [why, method, error, expected] of [
  ['a write that was turned away', 'POST', answer(429, 1000), 1000],
  ['a write that nobody was there for', 'PATCH', answer(503, 2000), 2000],
  ['a read that failed', 'GET', answer(500, 2000), 2000],
  ['a write that may have taken effect', 'POST', answer(500, 2000), undefined],
  ['a write that may have taken effect', 'DELETE', answer(504, 2000), undefined],
  ['an answer that does not say when', 'GET', answer(429), undefined],
  ['an answer that another try will not change', 'GET', answer(409, 1000), undefined],
  ['no answer', 'GET', new TransportError('KUBE_CONNECTION', 'connection reset'), undefined],
] as const) {
  const what = expected === undefined ? 'is final' : `is tried again after ${expected} ms`;
  test(`${method}, ${error instanceof ApiError ? error.status : error.code}, ${why}: ${what}`, () => {
    assert.equal(retryDelayMs(method, error, 0), expected);
  });
}

test('after ten retries the answer is final', () => {
  assert.equal(retryDelayMs('GET', answer(429, 1000), 9), 1000);
  assert.equal(retryDelayMs('GET', answer(429, 1000), 10), undefined);
});
