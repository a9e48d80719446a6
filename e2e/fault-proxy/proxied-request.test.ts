import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { proxiedRequest, type RequestKind } from './proxied-request.ts';

const rows: [method: string, url: string, kind: RequestKind][] = [
  ['GET', '/api/v1/namespaces/a/configmaps?limit=500', 'list'],
  ['GET', '/api/v1/configmaps', 'list'],
  ['GET', '/apis/apps/v1/namespaces/a/deployments?watch=false', 'list'],
  ['GET', '/api/v1/configmaps?limit=500&continue=abc', 'page'],
  ['GET', '/api/v1/namespaces', 'list'],
  ['GET', '/api/v1/namespaces/a', 'get'],
  ['GET', '/api/v1/namespaces/a/configmaps/b', 'get'],
  ['GET', '/apis/apps/v1/namespaces/a/deployments/b/scale', 'get'],
  ['GET', '/api/v1/namespaces/a/configmaps?watch=true&resourceVersion=7', 'watch'],
  ['GET', '/api/v1/configmaps?watch=true&sendInitialEvents=true', 'watch-list'],
  ['POST', '/api/v1/namespaces/a/configmaps', 'create'],
  ['PUT', '/api/v1/namespaces/a/configmaps/b', 'update'],
  ['PATCH', '/api/v1/namespaces/a/configmaps/b', 'patch'],
  ['DELETE', '/api/v1/namespaces/a/configmaps/b', 'delete'],
  ['GET', '/api', 'other'],
  ['GET', '/apis/apps/v1', 'other'],
  ['GET', '/readyz', 'other'],
];

function messageOf(method: string, url: string, authorization?: string): IncomingMessage {
  const message = new IncomingMessage(new Socket());
  message.method = method;
  message.url = url;
  if (authorization !== undefined) message.headers.authorization = authorization;
  return message;
}

for (const [method, url, kind] of rows) {
  test(`${method} ${url} is a ${kind}`, () => {
    assert.equal(proxiedRequest(messageOf(method, url)).kind, kind);
  });
}

test('the bearer token is known', () => {
  assert.equal(proxiedRequest(messageOf('GET', '/readyz', 'Bearer secret')).token, 'secret');
  assert.equal(proxiedRequest(messageOf('GET', '/readyz', 'Basic abc')).token, undefined);
});
