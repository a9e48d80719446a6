import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, isFateUnknown, TransportError } from './errors.ts';

const webhookDown =
  'Internal error occurred: failed calling webhook "a.example.com": failed to call webhook: Post "https://a": refused';

/** What a write ended with, and whether it may have taken effect, or may yet. */
const fates: Array<[string, unknown, boolean]> = [
  ['no answer', new TransportError('KUBE_TIMEOUT', 'no answer'), true],
  ['nothing sent', new TransportError('KUBE_CONNECTION', 'refused', { nothingSent: true }), false],
  ['a timeout of the server', new ApiError(504, 'Timeout', 'request timed out'), true],
  ['etcd’s', new ApiError(500, 'InternalError', 'etcdserver: request timed out'), true],
  ['a proxy without a backend', new ApiError(503, 'ServiceUnavailable', 'no backend'), true],
  ['a webhook that can’t be called', new ApiError(500, 'InternalError', webhookDown), false],
  ['a conflict', new ApiError(409, 'Conflict', 'changed'), false],
  ['an error of the program', new TypeError('undefined'), false],
];
for (const [what, error, unknown] of fates) {
  test(`${what}: the fate of the write is ${unknown ? 'open' : 'known'}`, () => {
    assert.equal(isFateUnknown(error), unknown);
  });
}
