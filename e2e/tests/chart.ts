import { tmpdir } from 'node:os';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { parseAllDocuments } from 'yaml';
import { chart, Helm, type Values } from '../harness/helm.ts';

export const image = { repository: 'registry.example.com/team/controller-sharding', tag: '1.2.3' };

/** The values that make of the chart what each kustomization of the sharder is. */
export const overlays: Readonly<Record<string, Values>> = {
  default: {},
  'without-webhook': { webhook: { enabled: false } },
  'cert-manager': { webhook: { certificate: 'cert-manager' } },
  'high-availability': { highAvailability: true },
};

/** Each value is another than its default. */
export const everyValue: Values = {
  image: { ...image, digest: `sha256:${'0123456789abcdef'.repeat(4)}`, pullPolicy: 'Always' },
  imagePullSecrets: [{ name: 'registry' }],
  highAvailability: true,
  replicas: 5,
  priorityClassName: '',
  resources: { requests: { cpu: 0.5, memory: '256Mi' }, limits: { cpu: '2' } },
  podAnnotations: { 'example.com/team': 'platform' },
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  tolerations: [{ key: 'infrastructure', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 }],
  webhook: { enabled: true, certificate: 'cert-manager' },
  networkPolicy: { enabled: false },
  config: {
    clientConnection: { qps: 500, burst: 1000 },
    leaderElection: { leaseDuration: '30s' },
    metrics: { secureServing: false },
    webhook: { config: { annotations: { 'example.com/owner': 'platform' } } },
    controller: { sharder: { syncPeriod: '10m', concurrentMoves: 200 } },
    logging: { level: 'debug' },
  },
};

/** What Helm makes of the chart, without a cluster. */
export async function renderChart(values: Values): Promise<KubeObject[]> {
  const helm = new Helm({ folder: tmpdir() });
  const text = await helm.run(['template', 'sharder', chart], { image, ...values });
  return parseAllDocuments(text).flatMap((document) => (document.contents === null ? [] : [document.toJS()]));
}
