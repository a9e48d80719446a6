import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiClient, WatchEvent } from '@controller-sharding/shared/kube/api-client.ts';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { configMaps } from '@controller-sharding/shared/kube/resources.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import type {
  KubeObject,
  ObjectRef,
  PartialObject,
  Resource,
} from '@controller-sharding/shared/kube/types.ts';
import { startControlPlane } from '../harness/control-plane.ts';

const namespace = 'default';
const widgets: Resource = {
  group: 'example.org',
  version: 'v1',
  resource: 'widgets',
  kind: 'Widget',
  namespaced: true,
};

const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.org' },
  spec: {
    group: 'example.org',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

/** With all metadata that a user can set, and in a foreground deletion, which sets the rest. */
async function createOne(client: ApiClient, resource: Resource): Promise<ObjectRef> {
  const owner: KubeObject = await client.create(resource, { metadata: { name: 'owner', namespace } });
  const ref = { namespace, name: 'deleted' };
  await client.create(resource, {
    metadata: {
      ...ref,
      labels: { 'example.org/label': 'value', empty: '' },
      annotations: { 'example.org/text': 'näme "quoted"\n日本', managedFields: '"managedFields":[]' },
      finalizers: ['example.org/first', 'example.org/second'],
      ownerReferences: [
        {
          apiVersion: resource.group === '' ? 'v1' : `${resource.group}/v1`,
          kind: resource.kind,
          name: 'owner',
          uid: owner.metadata.uid ?? '',
          controller: true,
          blockOwnerDeletion: false,
        },
      ],
    },
  });
  await client.delete(resource, ref, { propagationPolicy: 'Foreground' });
  return ref;
}

async function firstEvent(
  client: ApiClient,
  resource: Resource,
  name: string,
): Promise<WatchEvent<PartialObject>> {
  const stop = new AbortController();
  const options = {
    namespace,
    fieldSelector: `metadata.name=${name}`,
    sendInitialEvents: true,
    timeoutSeconds: 30,
  };
  for await (const event of client.watch(resource, 'metadata', { ...options, signal: stop.signal }))
    return event;
  throw new Error('the watch ended');
}

test('metadata that come in protobuf say the same as in JSON, of built-in and of custom resources', async () => {
  await using controlPlane = await startControlPlane();
  await controlPlane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(definition) });
  await controlPlane.kubectl(['wait', '--for=condition=Established', 'crd/widgets.example.org']);
  const transport = new Transport(loadKubeConfig({ kubeconfig: controlPlane.kubeconfigPath }));
  const client = new KubeClient(transport);
  for (const resource of [configMaps, widgets]) {
    const ref = await createOne(client, resource);
    const inJson = await client.getMetadata(resource, ref);
    assert.ok(inJson.metadata.deletionTimestamp);
    const { items } = await client.listPage(resource, 'metadata', { namespace });
    assert.deepEqual(
      items.find(({ metadata }) => metadata.name === ref.name),
      inJson,
    );
    assert.deepEqual(await firstEvent(client, resource, ref.name), { type: 'ADDED', object: inJson });
    const whole = await client.get<KubeObject>(resource, ref);
    assert.deepEqual(whole.metadata, inJson.metadata);
  }
  await assert.rejects(client.listPage(configMaps, 'metadata', { namespace, labelSelector: '!!' }), {
    name: 'ApiError',
    status: 400,
    message: /unable to parse requirement/,
  });
  const refused = client.watch(configMaps, 'metadata', {
    signal: new AbortController().signal,
    resourceVersion: 'not-a-version',
    timeoutSeconds: 10,
  });
  await assert.rejects(refused.next(), { name: 'ApiError', message: /^resourceVersion: / });
  await transport.close();
});
