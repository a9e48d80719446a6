import { stringify } from 'yaml';
import { removeAll } from './install.ts';
import { ring } from './ring-view.ts';
import type { SuiteCluster } from './suite-cluster.ts';

/** The operator first, then its ring, what that has left, and the sharder. */
export async function uninstall(cluster: SuiteCluster): Promise<void> {
  await uninstallOperator(cluster);
  await removeAll(cluster);
}

/** The operator, its ring, and what that has left. */
export async function uninstallOperator(cluster: SuiteCluster): Promise<void> {
  await cluster.kubectl('-n checksum-system delete deployment checksum-operator --cascade=foreground');
  await cluster.kubectl(`delete controllerring ${ring}`);
  await cluster.kubectl('apply -f -', cleanupJob(cluster.image));
  await cluster.kubectl('-n sharding-system wait --for=condition=Complete job/cleanup --timeout=90s');
  await cluster.kubectl('delete clusterrolebinding controller-sharding-cleanup');
}

/** It looks for labels on objects of all resources, so it is an administrator for its time. */
function cleanupJob(image: string): string {
  const namespace = 'sharding-system';
  const name = 'cleanup';
  const pod = {
    serviceAccountName: name,
    restartPolicy: 'Never',
    securityContext: { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name,
        image,
        args: ['sharder', 'cleanup', ring],
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'controller-sharding-cleanup' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
    {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name, namespace },
      spec: { backoffLimit: 1, template: { spec: pod } },
    },
  ]
    .map((each) => stringify(each))
    .join('---\n');
}
