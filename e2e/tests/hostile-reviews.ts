import assert from 'node:assert/strict';
import { request } from 'node:https';
import { mutatingWebhookConfigurations } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { ringName } from '../main-job/cluster/objects.ts';
import type { HostileRow, HostileWorld } from './hostile-world.ts';

interface Answer {
  code: number;
  body: string;
}

interface Call {
  body: string;
  path?: string;
  type?: string;
  method?: string;
  /** Of a body that is announced and not sent. */
  length?: number;
}

/** Calls the webhook as the API server does, at the address in its configuration. */
async function call(
  { client }: HostileWorld,
  { body, path, type = 'application/json', method = 'POST', length }: Call,
): Promise<Answer> {
  const name = `controllerring-${ringName}`;
  const { webhooks } = await client.get<
    KubeObject & { webhooks: Array<{ clientConfig: { url: string; caBundle: string } }> }
  >(mutatingWebhookConfigurations, { name });
  const { url = '', caBundle = '' } = webhooks[0]?.clientConfig ?? {};
  const options = {
    method,
    ca: Buffer.from(caBundle, 'base64'),
    headers: { 'content-type': type },
    agent: false,
  } as const;
  return new Promise((resolve, reject) => {
    const sent = request(path === undefined ? url : new URL(path, url), options, (answer) => {
      let text = '';
      answer.on('data', (data) => (text += String(data)));
      answer.on('end', () => resolve({ code: answer.statusCode ?? 0, body: text }));
    });
    sent.on('error', reject);
    if (length === undefined) sent.end(body);
    else sent.setHeader('content-length', length).flushHeaders();
  });
}

const review = (fields: object): string =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: { uid: 'u', ...fields },
  });

const ofSecret = (object: unknown): string =>
  review({
    operation: 'CREATE',
    resource: { group: '', version: 'v1', resource: 'secrets' },
    namespace: 'main-job',
    object,
  });

const allowedAsItIs = async (world: HostileWorld, calling: Call): Promise<void> => {
  const { code, body } = await call(world, calling);
  assert.equal(code, 200, body);
  assert.deepEqual(JSON.parse(body).response, { uid: 'u', allowed: true });
};

const answered = async (world: HostileWorld, calling: Call, code: number): Promise<void> =>
  assert.equal((await call(world, calling)).code, code);

const readable: Array<[string, Call]> = [
  ['no fields', { body: review({}) }],
  [
    'a resource that isn’t the ring’s',
    { body: review({ operation: 'CREATE', resource: { resource: 'pods' } }) },
  ],
  ['no object', { body: ofSecret(undefined) }],
  ['an object that is a number', { body: ofSecret(7) }],
  ['metadata that is a list', { body: ofSecret({ metadata: [] }) }],
  [
    'labels that are a list, and no name',
    { body: ofSecret({ metadata: { labels: ['a'], ownerReferences: 'b' } }) },
  ],
  [
    'an operation that there isn’t',
    { body: review({ operation: 'CONNECT', resource: 'secrets', object: {} }) },
  ],
  [
    'a ring that there isn’t',
    { body: ofSecret({ metadata: { name: 'a' } }), path: '/webhooks/sharder/controllerring/none' },
  ],
  [
    'the name of an object’s method for a ring',
    { body: review({}), path: '/webhooks/sharder/controllerring/constructor' },
  ],
];

const unreadable: Array<[string, Call, number]> = [
  ['nothing', { body: '' }, 400],
  ['no JSON', { body: '{"request":' }, 400],
  ['no AdmissionReview', { body: '[1, 2, 3]' }, 400],
  ['no uid', { body: JSON.stringify({ request: { operation: 'CREATE' } }) }, 400],
  ['a uid of a megabyte', { body: review({ uid: 'u'.repeat(1 << 20) }) }, 400],
  ['a hundred thousand levels', { body: '['.repeat(100_000) }, 400],
  ['another content type', { body: 'request: {}', type: 'application/yaml' }, 400],
  ['nine megabytes', { body: '', length: 9 << 20 }, 413],
  ['a GET', { body: '', method: 'GET' }, 404],
  ['another path', { body: review({}), path: '/' }, 404],
];

/** What arrives at the webhook's port from others than the API server. */
export const reviewRows: HostileRow[] = [
  ...readable.map(
    ([what, calling]): HostileRow => ({
      what: `an AdmissionReview with ${what}: allowed as it is`,
      act: (world) => allowedAsItIs(world, calling),
    }),
  ),
  ...unreadable.map(
    ([what, calling, code]): HostileRow => ({
      what: `a call of the webhook with ${what}: ${code}`,
      act: (world) => answered(world, calling, code),
    }),
  ),
];
