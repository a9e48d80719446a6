import { connect } from '@controller-sharding/shared/kube/connect.ts';
import { controllerRings } from '@controller-sharding/shared/kube/resources.ts';
import { createRegistry } from '@controller-sharding/shared/metrics/registry.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import type { ControllerRing } from '@controller-sharding/shared/sharding/controller-ring.ts';
import { stringify } from 'yaml';
import { type Fence, policyBindings } from '../policies/bindings.ts';

export interface PoliciesCommand {
  ring: string;
  fence: Fence | undefined;
  kubeconfig: string | undefined;
}

/** `sharder policies`: prints the bindings of the ring's admission policies as YAML. */
export async function runPolicies(
  { ring: name, fence, kubeconfig }: PoliciesCommand,
  signal: AbortSignal,
): Promise<void> {
  const connection = connect({
    kubeconfig,
    clock,
    registry: createRegistry(),
    userAgent: 'sharder-policies',
  });
  try {
    const ring = await connection.client.get<ControllerRing>(controllerRings, { name }, { signal });
    for (const binding of policyBindings({ ring, fence })) process.stdout.write(`---\n${stringify(binding)}`);
  } finally {
    await connection.close();
  }
}
