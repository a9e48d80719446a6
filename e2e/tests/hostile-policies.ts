import assert from 'node:assert/strict';
import { isInvalid } from '@controller-sharding/shared/kube/errors.ts';
import { secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import { secretNamed } from '../main-job/cluster/objects.ts';
import { assigned, type HostileRow, type HostileWorld } from './hostile-world.ts';

const apiVersion = 'admissionregistration.k8s.io/v1';
const served = { group: 'admissionregistration.k8s.io', version: 'v1', namespaced: false };
const policies: Resource = {
  ...served,
  resource: 'validatingadmissionpolicies',
  kind: 'ValidatingAdmissionPolicy',
};
const bindings: Resource = {
  ...served,
  resource: 'validatingadmissionpolicybindings',
  kind: 'ValidatingAdmissionPolicyBinding',
};
const name = 'no-labels';

/** From when it counts, updates of these Secrets that give them a shard are refused, with 422 as policies do it. */
async function refuseLabels(world: HostileWorld, prefix: string): Promise<void> {
  const expression = `!object.metadata.name.startsWith('${prefix}') || !has(object.metadata.labels) || !('${assigned}' in object.metadata.labels)`;
  const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['secrets'] };
  await world.client.create<KubeObject & { spec: object }>(policies, {
    apiVersion,
    kind: policies.kind,
    metadata: { name },
    spec: {
      matchConstraints: { resourceRules: [rule] },
      validations: [{ expression, message: 'not on Fridays' }],
    },
  });
  await world.client.create<KubeObject & { spec: object }>(bindings, {
    apiVersion,
    kind: bindings.kind,
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'] },
  });
  const probe = `${prefix}probe`;
  await world.secret(probe, { [assigned]: world.ring.job.fleet.replicas[0] ?? '' });
  await world.until('the policy', async () => {
    try {
      await world.label(probe, { tried: 'yes' });
      return false;
    } catch (error) {
      assert.ok(isInvalid(error), String(error));
      return true;
    }
  });
}

/** What others forbid. */
export const policyRows: HostileRow[] = [
  {
    what: 'a policy refuses the label of one Secret: an Event says so, and once it is gone the Secret is served',
    act: async (world) => {
      await refuseLabels(world, 'refused-');
      // A name that is made up by the API server is labelled by the sharder, not by its webhook.
      const { metadata, ...secret } = secretNamed(world.namespace, '');
      const created = await world.client.create(secrets, {
        ...secret,
        metadata: { ...metadata, generateName: 'refused-' },
      });
      await world.event(created.metadata.name, 'LabelRefused', /can't be changed.*not on Fridays/);
      await world.secret('beside-refused');
      await world.settled('beside-refused');
      await world.client.delete(bindings, { name });
      await world.settled(created.metadata.name);
    },
  },
];
