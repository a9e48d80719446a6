/** What users, foreign accounts and shards may do to sharded objects once the admission policies are bound. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { policyBindings } from '@controller-sharding/sharder/policies/bindings.ts';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { leases, namespaces } from '@controller-sharding/shared/kube/resources.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import type { Labels } from '@controller-sharding/shared/kube/types.ts';
import type { Lease } from '@controller-sharding/shared/lease/lease.ts';
import {
  drainLabel,
  identityAnnotation,
  pinLabel,
  ringLabel,
  shardLabel,
} from '@controller-sharding/shared/sharding/contract.ts';
import { controllerRingApiVersion } from '@controller-sharding/shared/sharding/controller-ring.ts';
import { stringify } from 'yaml';
import { type ControlPlane, startControlPlane } from '../harness/control-plane.ts';
import { createRing } from '../harness/sharder.ts';
import { waitFor } from '../harness/wait-for.ts';
import { namespaceNamed } from '../main-job/cluster/objects.ts';
import { type Answer, callers, Impersonator } from './policies-world.ts';

const policies = fileURLToPath(new URL('../../manifests/policies', import.meta.url));
const ringName = 'test';
const [shard, drain, pin] = [shardLabel(ringName), drainLabel(ringName), pinLabel(ringName)];
const ring = {
  apiVersion: controllerRingApiVersion,
  metadata: { name: ringName },
  spec: {
    resources: [
      { group: '', resource: 'secrets', controlledResources: [{ group: '', resource: 'configmaps' }] },
    ],
  },
};
const merge = 'application/merge-patch+json';
const refused = 403;

interface Row {
  who: keyof typeof callers | 'administrator';
  does: string;
  /** Labels of the object that is there before; without them it is created. */
  to?: Labels;
  /** Labels to set, or to remove (null); default: the object is deleted. */
  sets?: Record<string, string | null>;
  /** The object is controlled by another one. */
  controlled?: boolean;
  /** The labels that the answer has, or 403. */
  answer: Labels | typeof refused;
  /** It is the fence that refuses. */
  fence?: true;
}

const onA = { [shard]: 'a' };
const drained = { [shard]: 'a', [drain]: 'b' };
const rows: Row[] = [
  { who: 'user', does: 'restores with old labels', sets: { [shard]: 'zz', [drain]: 'y' }, answer: {} },
  { who: 'user', does: 'changes the shard', to: onA, sets: { [shard]: 'b' }, answer: onA },
  { who: 'user', does: 'removes the shard', to: onA, sets: { [shard]: null }, answer: onA },
  { who: 'user', does: 'adds a drain', to: onA, sets: { [drain]: 'b' }, answer: onA },
  { who: 'user', does: 'removes a drain', to: drained, sets: { [drain]: null }, answer: drained },
  { who: 'user', does: 'sets a pin', to: onA, sets: { [pin]: 'b' }, answer: { ...onA, [pin]: 'b' } },
  {
    who: 'user',
    does: 'sets another label',
    to: onA,
    sets: { color: 'red' },
    answer: { ...onA, color: 'red' },
  },
  { who: 'user', does: 'deletes it', to: onA, answer: onA },
  { who: 'foreign account', does: 'changes the shard', to: onA, sets: { [shard]: 'b' }, answer: onA },
  { who: 'administrator', does: 'changes the shard', to: onA, sets: { [shard]: 'b' }, answer: onA },
  { who: 'administrator', does: 'restores with old labels', sets: { [shard]: 'zz' }, answer: {} },
  { who: 'garbage collector', does: 'deletes it', to: onA, answer: onA },
  { who: 'sharder', does: 'creates with a shard', sets: onA, answer: onA },
  { who: 'sharder', does: 'asks for a move', to: onA, sets: { [drain]: 'b' }, answer: drained },
  {
    who: 'sharder',
    does: 'moves it',
    to: drained,
    sets: { [shard]: 'b', [drain]: null },
    answer: { [shard]: 'b' },
  },
  {
    who: 'shard a',
    does: 'hands over',
    to: drained,
    sets: { [shard]: 'b', [drain]: null },
    answer: { [shard]: 'b' },
  },
  {
    who: 'shard a',
    does: 'removes both labels',
    to: drained,
    sets: { [shard]: null, [drain]: null },
    answer: {},
  },
  {
    who: 'shard a',
    does: 'hands over to another',
    to: drained,
    sets: { [shard]: 'c', [drain]: null },
    answer: refused,
  },
  { who: 'shard a', does: 'keeps the drain', to: drained, sets: { [shard]: 'b' }, answer: refused },
  { who: 'shard a', does: 'removes the drain', to: drained, sets: { [drain]: null }, answer: refused },
  { who: 'shard a', does: 'changes the drain', to: drained, sets: { [drain]: 'c' }, answer: refused },
  { who: 'shard a', does: 'removes the shard', to: onA, sets: { [shard]: null }, answer: refused },
  { who: 'shard a', does: 'adds a drain', to: onA, sets: { [drain]: 'b' }, answer: refused },
  { who: 'shard a', does: 'gives it away', to: onA, sets: { [shard]: 'b' }, answer: refused },
  {
    who: 'shard a',
    does: 'passes on what is controlled',
    controlled: true,
    to: onA,
    sets: { [shard]: 'b' },
    answer: { [shard]: 'b' },
  },
  { who: 'shard a', does: 'creates what is controlled', controlled: true, sets: onA, answer: onA },
  {
    who: 'shard a',
    does: 'sets another label',
    to: onA,
    sets: { color: 'red' },
    answer: { ...onA, color: 'red' },
  },
  {
    who: 'shard b',
    does: 'changes what a has',
    to: onA,
    sets: { color: 'red' },
    answer: refused,
    fence: true,
  },
  { who: 'shard b', does: 'deletes what a has', to: onA, answer: refused, fence: true },
  {
    who: 'shard b',
    does: 'creates what is controlled, for a',
    controlled: true,
    sets: onA,
    answer: refused,
    fence: true,
  },
];

class PolicyWorld {
  readonly controlPlane: ControlPlane;
  readonly client: KubeClient;
  readonly #as: Impersonator;
  #names = 0;

  private constructor(controlPlane: ControlPlane, client: KubeClient) {
    this.controlPlane = controlPlane;
    this.client = client;
    this.#as = new Impersonator(controlPlane);
  }

  static async start(t: TestContext): Promise<PolicyWorld> {
    const controlPlane = await startControlPlane();
    const transport = new Transport(loadKubeConfig({ kubeconfig: controlPlane.kubeconfigPath }));
    t.after(async () => {
      await transport.close();
      await controlPlane.stop();
    });
    const client = new KubeClient(transport);
    await client.create(namespaces, namespaceNamed('op'));
    await createRing(client, ring);
    for (const name of ['a', 'b']) {
      const metadata = {
        namespace: 'op',
        name,
        labels: { [ringLabel]: ringName },
        annotations: { [identityAnnotation]: `pod-of-${name}` },
      };
      await client.create<Lease>(leases, { metadata, spec: { holderIdentity: name } });
    }
    const world = new PolicyWorld(controlPlane, client);
    await world.#grant();
    return world;
  }

  /** All may write the objects, so that only the policies refuse; the operator's account may operate the ring. */
  async #grant(): Promise<void> {
    const api = 'rbac.authorization.k8s.io';
    const grant = (name: string, rules: object[], users: string[]): object[] => [
      { apiVersion: `${api}/v1`, kind: 'ClusterRole', metadata: { name }, rules },
      {
        apiVersion: `${api}/v1`,
        kind: 'ClusterRoleBinding',
        metadata: { name },
        roleRef: { apiGroup: api, kind: 'ClusterRole', name },
        subjects: users.map((user) => ({ kind: 'User', apiGroup: api, name: user })),
      },
    ];
    const objects = { apiGroups: [''], resources: ['secrets', 'configmaps'], verbs: ['*'] };
    const operate = {
      apiGroups: ['sharding.timebertt.dev'],
      resources: ['controllerrings'],
      resourceNames: [ringName],
      verbs: ['operate'],
    };
    await this.apply([
      ...grant('writes', [objects], [...new Set(Object.values(callers).map(({ user }) => user))]),
      ...grant('operates', [operate], [callers['shard a'].user]),
    ]);
  }

  async apply(objects: object[]): Promise<void> {
    await this.controlPlane.kubectl(['apply', '-f', '-'], {
      input: objects.map((object) => stringify(object)).join('---\n'),
    });
  }

  async play({ who, to, sets, controlled = false }: Row): Promise<Answer> {
    const caller = who === 'administrator' ? undefined : callers[who];
    this.#names += 1;
    const [name, kind] = [`object-${this.#names}`, controlled ? 'configmaps' : 'secrets'];
    const path = `/api/v1/namespaces/op/${kind}`;
    const metadata = {
      name,
      ...(controlled && {
        ownerReferences: [{ apiVersion: 'v1', kind: 'Secret', name: 'owner', uid: 'uid', controller: true }],
      }),
    };
    if (to === undefined)
      return this.#as.ask(caller, 'POST', path, { metadata: { ...metadata, labels: sets } });
    const made = await this.#as.ask(callers.sharder, 'POST', path, { metadata: { ...metadata, labels: to } });
    assert.equal(made.status, 201, made.message);
    assert.deepEqual(made.labels, to);
    if (sets) return this.#as.ask(caller, 'PATCH', `${path}/${name}`, { metadata: { labels: sets } }, merge);
    const deleted = await this.#as.ask(caller, 'DELETE', `${path}/${name}`);
    return { ...deleted, labels: to };
  }
}

/** What the row asks for, where nothing stands against it. */
const askedFor = ({ to = {}, sets = {} }: Row): Labels =>
  Object.fromEntries(
    Object.entries({ ...to, ...sets }).flatMap(([label, value]) => (value === null ? [] : [[label, value]])),
  );

test('label protection and the fence, request by request', { timeout: 240_000 }, async (t) => {
  const world = await PolicyWorld.start(t);
  await t.test('where no policy is bound, each request changes what it asks for', async () => {
    await world.controlPlane.kubectl(['apply', '-k', policies]);
    for (const row of rows) {
      const { status, labels, message } = await world.play(row);
      assert(status < 300, `${row.who} ${row.does}: ${status} ${message}`);
      assert.deepEqual(labels, askedFor(row), `${row.who} ${row.does}`);
    }
  });
  await t.test('with the policies, labels are the sharder’s, and objects their shard’s', async () => {
    await world.apply(policyBindings({ ring, fence: { by: 'lease', namespace: 'op' } }));
    const probes: Row[] = rows.filter(
      ({ who, does }) => who !== 'user' && /deletes what|gives it away/.test(does),
    );
    // A policy takes effect a moment after it was made.
    await waitFor(
      'the policies',
      async () =>
        (await Promise.all(probes.map((row) => world.play(row)))).every(({ status }) => status === refused),
      { timeoutMs: 30_000 },
    );
    await waitFor('the protection of labels', async () => {
      const [restores] = rows;
      return restores && Object.keys((await world.play(restores)).labels).length === 0;
    });
    for (const row of rows) {
      const { status, labels, message } = await world.play(row);
      t.diagnostic(`${row.who} ${row.does}: ${status} ${message || JSON.stringify(labels)}`);
      if (row.answer === refused) {
        assert.equal(status, refused, `${row.who} ${row.does}: ${status}`);
        const reason = row.fence
          ? /belongs to shard a, whose Lease this pod does not hold/
          : /drain label asks/;
        assert.match(message, reason, `${row.who} ${row.does}`);
      } else {
        assert(status < 300, `${row.who} ${row.does}: ${status} ${message}`);
        assert.deepEqual(labels, row.answer, `${row.who} ${row.does}`);
      }
    }
  });
  await t.test('a slot is its new pod’s once that has the Lease, and the old one’s no more', async () => {
    const writes = (who: keyof typeof callers) =>
      world.play({ who, does: '', to: onA, sets: { color: 'red' }, answer: {} });
    assert.equal((await writes('new pod of a')).status, refused);
    await world.client.patch(
      leases,
      { namespace: 'op', name: 'a' },
      { type: 'merge', body: { metadata: { annotations: { [identityAnnotation]: 'pod-of-c' } } } },
    );
    await waitFor('the new pod to be let write', async () => (await writes('new pod of a')).status === 200);
    assert.equal((await writes('shard a')).status, refused);
  });
  await t.test('by the pod’s name, too', async () => {
    const [fence] = policyBindings({ ring, fence: { by: 'pod' } }).slice(-1);
    assert.ok(fence);
    await world.controlPlane.kubectl(['delete', fence.kind, 'sharding-fence-lease-test']);
    await world.apply([fence]);
    const asks = (who: keyof typeof callers) =>
      world.play({ who, does: '', to: onA, sets: { color: 'red' }, answer: {} });
    await waitFor('the fence', async () => {
      const answer = await asks('shard b');
      return answer.status === refused && /not of shard b/.test(answer.message);
    });
    assert.equal((await asks('shard a')).status, 200);
  });
});
