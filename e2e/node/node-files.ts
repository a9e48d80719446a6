import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { kubeconfigFile, type Layout, pkiFile } from '../harness/control-plane-daemons.ts';
import { kubeconfigContext } from '../harness/kubeconfig.ts';
import { DNS_ADDRESS, type NodeLayout, POD_RANGE } from './layout.ts';
import { pauseImage } from './pause-image.ts';

export const inNode = ({ dir }: NodeLayout, name: string): string => join(dir, name);

/** Where containerd finds the other programs. */
export interface ContainerPrograms {
  runc: string;
  bridge: string;
  'host-local': string;
}

/** The texts of a node's configuration files, by name. */
export function nodeFiles(
  cluster: Layout,
  node: NodeLayout,
  programs: ContainerPrograms,
): Record<string, string> {
  return {
    'containerd.toml': containerdConfig(node, programs),
    'cni/10-pods.conflist': networkConfig(node),
    'kubelet.yaml': stringify(kubeletConfig(cluster, node)),
    'kube-proxy.yaml': stringify(proxyConfig(cluster, node)),
    Corefile: dnsConfig(cluster, node),
  };
}

const containerdConfig = (node: NodeLayout, programs: ContainerPrograms): string => `version = 3
root = '${inNode(node, 'containerd')}'
state = '/run/containerd'
disabled_plugins = ['io.containerd.nri.v1.nri', 'io.containerd.tracing.processor.v1.otlp', 'io.containerd.internal.v1.tracing']
[grpc]
  address = '${node.socket}'
[plugins.'io.containerd.internal.v1.opt']
  path = '${inNode(node, 'opt')}'
[plugins.'io.containerd.metadata.v1.bolt']
  no_sync = true # nothing here outlives the machine's power
[plugins.'io.containerd.cri.v1.images']
  snapshotter = 'overlayfs'
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = '${pauseImage}'
[plugins.'io.containerd.cri.v1.runtime']
  disable_apparmor = true
  restrict_oom_score_adj = true # a machine may not allow a lower score than its own
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
    runtime_type = 'io.containerd.runc.v2'
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
      BinaryName = '${programs.runc}'
      SystemdCgroup = false
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ['${dirname(programs.bridge)}', '${dirname(programs['host-local'])}']
    conf_dir = '${inNode(node, 'cni')}'
    use_internal_loopback = true
`;

const networkConfig = ({ podRange }: NodeLayout): string =>
  JSON.stringify({
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      {
        type: 'bridge',
        bridge: 'pods',
        isGateway: true,
        hairpinMode: true,
        ipMasq: false,
        ipam: {
          type: 'host-local',
          dataDir: '/run/cni-addresses',
          ranges: [[{ subnet: podRange }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
    ],
  });

const nothing = '0%';

const kubeletConfig = (cluster: Layout, node: NodeLayout): object => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  failCgroupV1: false,
  cgroupDriver: 'cgroupfs',
  cgroupRoot: `/${node.cgroup}`,
  cgroupsPerQOS: true,
  enforceNodeAllocatable: ['pods'],
  failSwapOn: false,
  containerRuntimeEndpoint: `unix://${node.socket}`,
  address: node.address,
  healthzBindAddress: node.address,
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    x509: { clientCAFile: pkiFile(cluster, 'ca.crt') },
  },
  authorization: { mode: 'Webhook' },
  tlsCertFile: inNode(node, 'kubelet.crt'),
  tlsPrivateKeyFile: inNode(node, 'kubelet.key'),
  clusterDomain: 'cluster.local',
  clusterDNS: [DNS_ADDRESS],
  resolvConf: '', // no names but the cluster's
  makeIPTablesUtilChains: false,
  podLogsDir: join(node.logs, 'pods'),
  volumePluginDir: inNode(node, 'volume-plugins'),
  serializeImagePulls: false,
  imageGCHighThresholdPercent: 100, // the images can't be pulled again
  evictionHard: {
    'memory.available': nothing,
    'nodefs.available': nothing,
    'nodefs.inodesFree': nothing,
    'imagefs.available': nothing,
    'imagefs.inodesFree': nothing,
  },
  seccompDefault: true,
  crashLoopBackOff: { maxContainerRestartPeriod: '2s' },
  nodeLeaseDurationSeconds: 8, // a lost node is noticed sooner than in 40 s
  fileCheckFrequency: '1h',
  httpCheckFrequency: '1h',
});

const proxyConfig = (cluster: Layout, node: NodeLayout): object => ({
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  mode: 'nftables',
  clientConnection: { kubeconfig: kubeconfigFile(cluster, 'kube-proxy') },
  clusterCIDR: POD_RANGE,
  hostnameOverride: node.name,
  healthzBindAddress: `${node.address}:10256`,
  metricsBindAddress: '127.0.0.1:10249',
  // Inside of a namespace these settings can't be changed.
  conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  nftables: { minSyncPeriod: '100ms', syncPeriod: '30s' },
});

const dnsConfig = (cluster: Layout, { address }: NodeLayout): string => `.:53 {
  bind ${DNS_ADDRESS}
  errors
  ready ${address}:8181
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    kubeconfig ${kubeconfigFile(cluster, 'admin')} ${kubeconfigContext}
    pods insecure
    ttl 5
  }
}
`;
