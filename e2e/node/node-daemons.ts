import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BinaryName } from '../control-plane/versions.ts';
import { type DaemonName, daemonArgs, type Layout, pkiFile } from '../harness/control-plane-daemons.ts';
import { apiSocket, FIRST, type NodeLayout } from './layout.ts';
import { inNode } from './node-files.ts';
import { FRONT_PROXY_NAME, kubeletKubeconfig } from './node-identities.ts';

const FORWARD_PROGRAM = fileURLToPath(new URL('./forward-program.ts', import.meta.url));

/** All that a node with a control plane runs. */
export const nodeBinaries = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'containerd',
  'containerd-shim-runc-v2', // found beside containerd
  'ctr',
  'runc',
  'bridge',
  'host-local',
  'coredns',
  'pause',
] as const satisfies readonly BinaryName[];
export type NodeBinaries = Record<(typeof nodeBinaries)[number], string>;

type Command = readonly [program: string, ...args: string[]];

/** Command lines by name; `later`: once the API server answers. */
interface NodeDaemons {
  first: Record<string, Command>;
  later: Record<string, Command>;
}

/** More than on loopback, where there is no node. The last one of a flag counts. */
const more = (layout: Layout, { address }: NodeLayout): Partial<Record<DaemonName, string[]>> => ({
  'kube-apiserver': [
    '--bind-address=0.0.0.0',
    `--advertise-address=${address}`,
    '--endpoint-reconciler-type=lease',
    '--enable-aggregator-routing=false', // webhooks are called at their Service's address
    '--enable-admission-plugins=NodeRestriction',
    `--kubelet-client-certificate=${pkiFile(layout, 'kubelet-client.crt')}`,
    `--kubelet-client-key=${pkiFile(layout, 'kubelet-client.key')}`,
    `--kubelet-certificate-authority=${pkiFile(layout, 'ca.crt')}`,
    '--kubelet-preferred-address-types=InternalIP',
    `--requestheader-client-ca-file=${pkiFile(layout, 'front-proxy-ca.crt')}`,
    `--requestheader-allowed-names=${FRONT_PROXY_NAME}`,
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${pkiFile(layout, 'front-proxy.crt')}`,
    `--proxy-client-key-file=${pkiFile(layout, 'front-proxy.key')}`,
    // Pods of a lost node come back elsewhere after seconds, not minutes.
    '--default-not-ready-toleration-seconds=3',
    '--default-unreachable-toleration-seconds=3',
  ],
  'kube-controller-manager': ['--node-monitor-grace-period=8s', '--node-monitor-period=1s'],
});

export function nodeDaemons(layout: Layout, node: NodeLayout, binaries: NodeBinaries): NodeDaemons {
  const worker: NodeDaemons = {
    first: { containerd: [binaries.containerd, '--config', inNode(node, 'containerd.toml')] },
    later: {
      kubelet: [
        binaries.kubelet,
        `--config=${inNode(node, 'kubelet.yaml')}`,
        `--kubeconfig=${kubeletKubeconfig(layout, node)}`,
        `--root-dir=${inNode(node, 'kubelet')}`,
        `--cert-dir=${inNode(node, 'kubelet-certificates')}`,
        `--hostname-override=${node.name}`,
        `--node-ip=${node.address}`,
      ],
      'kube-proxy': [binaries['kube-proxy'], `--config=${inNode(node, 'kube-proxy.yaml')}`],
    },
  };
  if (node.number !== FIRST) return worker;
  const additions = more(layout, node);
  const part = (name: DaemonName): Command => [
    binaries[name],
    ...daemonArgs[name](layout),
    ...(additions[name] ?? []),
  ];
  return {
    first: {
      ...worker.first,
      etcd: part('etcd'),
      'kube-apiserver': part('kube-apiserver'),
      forward: [
        process.execPath,
        FORWARD_PROGRAM,
        apiSocket(layout),
        '127.0.0.1',
        String(layout.apiServerPort),
      ],
    },
    later: {
      ...worker.later,
      'kube-controller-manager': part('kube-controller-manager'),
      'kube-scheduler': part('kube-scheduler'),
      coredns: [binaries.coredns, '-conf', inNode(node, 'Corefile')],
    },
  };
}

/** Writes a script for each daemon, as init.sh runs them. */
export async function writeDaemons(node: NodeLayout, daemons: NodeDaemons): Promise<void> {
  for (const [stage, commands] of Object.entries(daemons)) {
    const folder = join(node.dir, stage);
    await mkdir(folder, { recursive: true });
    for (const [name, command] of Object.entries<Command>(commands)) {
      const file = join(folder, name);
      await writeFile(file, `#!/bin/sh\nexec ${command.map(quoted).join(' ')}\n`);
      await chmod(file, 0o755);
    }
  }
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
