export const KUBERNETES_VERSION = '1.37.2';
export const ETCD_VERSION = '3.7.3';
export const PROMETHEUS_VERSION = '3.16.0';
/** The Go release that the modules in `go-modules/` ask for. */
export const GO_VERSION = '1.26';

export const BINARY_NAMES = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubectl',
  'promtool',
] as const;
export type BinaryName = (typeof BINARY_NAMES)[number];

export const isBinaryName = (name: string): name is BinaryName =>
  (BINARY_NAMES as readonly string[]).includes(name);
