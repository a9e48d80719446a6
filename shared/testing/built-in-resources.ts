type Trait =
  | 'status'
  | 'generation'
  /** Updates have to say the resourceVersion. */
  | 'versioned'
  | 'create-on-update'
  /** Names without dots. */
  | 'label-name';

type Row = [
  group: string,
  version: string,
  resource: string,
  kind: string,
  scope: 'namespaced' | 'cluster',
  traits: Trait[],
];

const rbac = 'rbac.authorization.k8s.io';
const admission = 'admissionregistration.k8s.io';

/** Kinds that every API server serves and controllers work with. */
export const builtInResources: readonly Row[] = [
  ['', 'v1', 'configmaps', 'ConfigMap', 'namespaced', []],
  ['', 'v1', 'endpoints', 'Endpoints', 'namespaced', ['create-on-update']],
  ['', 'v1', 'events', 'Event', 'namespaced', ['create-on-update']],
  ['', 'v1', 'limitranges', 'LimitRange', 'namespaced', ['create-on-update']],
  ['', 'v1', 'namespaces', 'Namespace', 'cluster', ['status', 'label-name']],
  ['', 'v1', 'nodes', 'Node', 'cluster', ['status']],
  ['', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim', 'namespaced', ['status']],
  ['', 'v1', 'persistentvolumes', 'PersistentVolume', 'cluster', ['status']],
  ['', 'v1', 'pods', 'Pod', 'namespaced', ['status', 'generation']],
  ['', 'v1', 'resourcequotas', 'ResourceQuota', 'namespaced', ['status', 'create-on-update']],
  ['', 'v1', 'secrets', 'Secret', 'namespaced', []],
  ['', 'v1', 'serviceaccounts', 'ServiceAccount', 'namespaced', []],
  ['', 'v1', 'services', 'Service', 'namespaced', ['status', 'create-on-update', 'label-name']],
  [
    admission,
    'v1',
    'mutatingwebhookconfigurations',
    'MutatingWebhookConfiguration',
    'cluster',
    ['generation', 'versioned'],
  ],
  [
    admission,
    'v1',
    'validatingwebhookconfigurations',
    'ValidatingWebhookConfiguration',
    'cluster',
    ['generation', 'versioned'],
  ],
  [
    admission,
    'v1',
    'validatingadmissionpolicies',
    'ValidatingAdmissionPolicy',
    'cluster',
    ['status', 'generation', 'versioned'],
  ],
  [
    admission,
    'v1',
    'validatingadmissionpolicybindings',
    'ValidatingAdmissionPolicyBinding',
    'cluster',
    ['generation', 'versioned'],
  ],
  [
    'apiextensions.k8s.io',
    'v1',
    'customresourcedefinitions',
    'CustomResourceDefinition',
    'cluster',
    ['status', 'generation', 'versioned'],
  ],
  ['apps', 'v1', 'daemonsets', 'DaemonSet', 'namespaced', ['status', 'generation']],
  ['apps', 'v1', 'deployments', 'Deployment', 'namespaced', ['status', 'generation']],
  ['apps', 'v1', 'replicasets', 'ReplicaSet', 'namespaced', ['status', 'generation']],
  ['apps', 'v1', 'statefulsets', 'StatefulSet', 'namespaced', ['status', 'generation']],
  ['autoscaling', 'v2', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler', 'namespaced', ['status']],
  ['batch', 'v1', 'cronjobs', 'CronJob', 'namespaced', ['status', 'generation']],
  ['batch', 'v1', 'jobs', 'Job', 'namespaced', ['status', 'generation']],
  ['coordination.k8s.io', 'v1', 'leases', 'Lease', 'namespaced', ['versioned', 'create-on-update']],
  ['discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice', 'namespaced', ['generation']],
  ['events.k8s.io', 'v1', 'events', 'Event', 'namespaced', ['create-on-update']],
  ['networking.k8s.io', 'v1', 'ingresses', 'Ingress', 'namespaced', ['status', 'generation']],
  ['networking.k8s.io', 'v1', 'networkpolicies', 'NetworkPolicy', 'namespaced', ['generation']],
  [
    'policy',
    'v1',
    'poddisruptionbudgets',
    'PodDisruptionBudget',
    'namespaced',
    ['status', 'generation', 'versioned'],
  ],
  [rbac, 'v1', 'clusterrolebindings', 'ClusterRoleBinding', 'cluster', ['create-on-update']],
  [rbac, 'v1', 'clusterroles', 'ClusterRole', 'cluster', ['create-on-update']],
  [rbac, 'v1', 'rolebindings', 'RoleBinding', 'namespaced', ['create-on-update']],
  [rbac, 'v1', 'roles', 'Role', 'namespaced', ['create-on-update']],
  ['storage.k8s.io', 'v1', 'storageclasses', 'StorageClass', 'cluster', []],
];
