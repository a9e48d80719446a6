import { microTime } from '@controller-sharding/shared/lease/lease.ts';
import type { Deployment, Phase, Website, WebsiteStatus } from './resources.ts';

/** What a reconcile has found out about a Website. */
export type Finding =
  | { kind: 'going' }
  /** It can't be served; why, as an Event says it. */
  | { kind: 'faulty'; reason: string; note: string }
  | { kind: 'served'; deployment: Deployment; needsPods: boolean };

export function phaseOf(finding: Finding): Phase {
  switch (finding.kind) {
    case 'going':
      return 'Terminating';
    case 'faulty':
      return 'Error';
    case 'served':
      return !finding.needsPods || isRolledOut(finding.deployment) ? 'Ready' : 'Pending';
  }
}

/** All pods are of the present template, and available. */
function isRolledOut({ metadata, spec, status = {} }: Deployment): boolean {
  const { observedGeneration = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
  return (
    observedGeneration >= (metadata.generation ?? 0) &&
    updatedReplicas >= spec.replicas &&
    availableReplicas >= spec.replicas
  );
}

/** The status to be; the one that is there where nothing changes. */
export function statusOf({ metadata, status }: Website, phase: Phase, now: Date): WebsiteStatus {
  const { generation: observedGeneration = 0 } = metadata;
  if (status?.phase === phase && status.observedGeneration === observedGeneration) return status;
  return { phase, observedGeneration, lastTransitionTime: microTime(now) };
}
