/** Metrics by HTTPS, to those alone who may read them: the sharder's with the rights of its manifests, and an operator's. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { sharderNamespace } from '@controller-sharding/shared/sharding/contract.ts';
import { stringify } from 'yaml';
import { freePort } from '../harness/ports.ts';
import { startProcess } from '../harness/processes.ts';
import { waitFor } from '../harness/wait-for.ts';
import { namespace, RightsWorld } from './rights-world.ts';

const operatorProgram = fileURLToPath(new URL('../../operator/checksum/main.ts', import.meta.url));
const rbac = 'rbac.authorization.k8s.io';

/** Status and text of the answer. */
async function scrape(port: number, token: string | undefined, trust: RequestOptions) {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const outgoing = request({ host: '127.0.0.1', port, path: '/metrics', headers, agent: false, ...trust });
  outgoing.end();
  const [incoming]: IncomingMessage[] = await once(outgoing, 'response');
  assert.ok(incoming);
  return { status: incoming.statusCode ?? 0, body: await text(incoming) };
}

/** A server whose certificate nobody signed. */
const anybody: RequestOptions = { rejectUnauthorized: false };

test('secure metrics', { timeout: 240_000 }, async (t) => {
  const world = await RightsWorld.start(t, 'checksum-controller', [{ group: '', resource: 'secrets' }]);
  const { controlPlane, client, ring } = world;
  await world.grant({ secrets: { verbs: ['get', 'list', 'patch', 'watch'] } });
  const apply = (...objects: object[]): Promise<string> =>
    controlPlane.kubectl(['apply', '-f', '-'], {
      input: objects.map((each) => stringify(each)).join('---\n'),
    });
  const account = (name: string): object => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { namespace, name },
  });
  const bind = (role: string, name: string): object => ({
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: `${role.replaceAll(':', '-')}-${name}` },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  });
  await apply(account('prometheus'), account('stranger'), bind('sharder-metrics-reader', 'prometheus'));
  const tokenOf = async (name: string): Promise<string> =>
    (await controlPlane.kubectl(['create', 'token', name, `--namespace=${namespace}`])).trim();
  const [reader, stranger] = [await tokenOf('prometheus'), await tokenOf('stranger')];

  const statuses = async (port: number, trust: RequestOptions): Promise<Record<string, number>> => ({
    'no token': (await scrape(port, undefined, trust)).status,
    'an invented token': (await scrape(port, 'invented', trust)).status,
    'a token whose signature is cut': (await scrape(port, reader.slice(0, -20), trust)).status,
    'a user without the right': (await scrape(port, stranger, trust)).status,
    'a user with the right': (await scrape(port, reader, trust)).status,
  });
  const expected = {
    'no token': 401,
    'an invented token': 401,
    'a token whose signature is cut': 401,
    'a user without the right': 403,
    'a user with the right': 200,
  };

  await t.test('the sharder’s, with the certificate of its webhook', async () => {
    const [port, metricsPort] = [await freePort(), await freePort()];
    const webhook = {
      server: { bindAddress: `127.0.0.1:${port}` },
      config: { clientConfig: { url: `https://127.0.0.1:${port}` } },
    };
    const metrics = { bindAddress: `127.0.0.1:${metricsPort}`, secureServing: true };
    const sharder = await world.sharder(webhook, { metrics });
    const at = { namespace: sharderNamespace, name: 'sharder-webhook-certificate' };
    const { data } = await client.get<KubeObject & { data: Record<string, string> }>(secrets, at);
    const ca = Buffer.from(data['ca.crt'] ?? '', 'base64').toString();
    assert.deepEqual(await statuses(metricsPort, { ca }), expected);
    const { body } = await scrape(metricsPort, reader, { ca });
    assert.match(body, /^controller_sharding_controllerring_metadata_generation\{/m);
    assert.doesNotMatch((await scrape(metricsPort, stranger, { ca })).body, /controller_sharding/);
    await assert.rejects(fetch(`http://127.0.0.1:${metricsPort}/metrics`));
    await sharder.stop('SIGTERM');
  });

  await t.test('the sharder’s without a webhook, with a certificate of its own', async () => {
    const metricsPort = await freePort();
    const metrics = { bindAddress: `127.0.0.1:${metricsPort}`, secureServing: true };
    const sharder = await world.sharder({ enabled: false }, { metrics });
    await waitFor('the certificate', () =>
      scrape(metricsPort, undefined, anybody).then(
        () => true,
        () => false,
      ),
    );
    assert.deepEqual(await statuses(metricsPort, anybody), expected);
    await assert.rejects(scrape(metricsPort, reader, {}), /self-signed|unable to verify/);
    await sharder.stop('SIGTERM');
  });

  await t.test('an operator’s', async () => {
    const { logFolder } = controlPlane;
    const metricsPort = await freePort();
    const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
    const kubeconfigPath = await controlPlane.userKubeconfig(
      `system:serviceaccount:${namespace}:operator`,
      groups,
    );
    const rules = [
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['*'] },
      { apiGroups: [''], resources: ['secrets', 'configmaps'], verbs: ['*'] },
    ];
    const role = {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRole',
      metadata: { name: 'own-operator' },
      rules,
    };
    await apply(account('operator'), role, bind('own-operator', 'operator'));
    const flags = [
      `--kubeconfig=${kubeconfigPath}`,
      `--ring=${ring}`,
      '--shard-name=a',
      `--lease-namespace=${namespace}`,
      '--health-address=0',
      `--metrics-address=127.0.0.1:${metricsPort}`,
      '--metrics-secure',
    ];
    const logFile = join(logFolder, 'operator.log');
    const operator = await startProcess({ name: 'operator', args: [operatorProgram, ...flags], logFile });
    t.after(() => operator.stop('SIGKILL'));
    const answer = await waitFor('an answer', () =>
      scrape(metricsPort, reader, anybody).catch(() => undefined),
    );
    // It may not ask the API server about tokens yet: nobody gets in, and its log says why.
    assert.deepEqual(answer, { status: 500, body: 'TokenReview failed\n' });
    await waitFor('the log to say so', async () =>
      /nobody can read the metrics, TokenReview failed: .*tokenreviews/.test(await readFile(logFile, 'utf8')),
    );
    await apply(bind('system:auth-delegator', 'operator'));
    await waitFor(
      'the right to be known',
      async () => (await scrape(metricsPort, reader, anybody)).status === 200,
    );
    assert.deepEqual(await statuses(metricsPort, anybody), expected);
    assert.match((await scrape(metricsPort, reader, anybody)).body, /^workqueue_depth\{/m);
  });
});
