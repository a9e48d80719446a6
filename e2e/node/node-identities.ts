import { writeFile } from 'node:fs/promises';
import { kubeconfigFile, type Layout, pkiFile } from '../harness/control-plane-daemons.ts';
import { type Identities, writeKubeconfig } from '../harness/control-plane-files.ts';
import { kubeconfig } from '../harness/kubeconfig.ts';
import { addressOf, FIRST, type NodeLayout } from './layout.ts';
import { inNode } from './node-files.ts';

const secret = { mode: 0o600 };

/** By which nodes reach the API server. */
const url = ({ apiServerPort }: Layout): string => `https://${addressOf(FIRST)}:${apiServerPort}`;

/** What all nodes share: the API server's certificate for kubelets, and kube-proxy's kubeconfig. */
export async function writeSharedIdentities(layout: Layout, { authority }: Identities): Promise<void> {
  const kubeletClient = await authority.client('kube-apiserver-kubelet-client', ['system:masters']);
  await writeFile(pkiFile(layout, 'kubelet-client.crt'), kubeletClient.certificate, secret);
  await writeFile(pkiFile(layout, 'kubelet-client.key'), kubeletClient.key, secret);
  const user = 'system:kube-proxy';
  const proxy = kubeconfig(url(layout), authority.certificate, user, await authority.client(user));
  await writeKubeconfig(layout, 'kube-proxy', proxy);
}

export const kubeletKubeconfig = (layout: Layout, { name }: NodeLayout): string =>
  kubeconfigFile(layout, `kubelet-${name}`);

/** A kubelet's certificate as a server, and its kubeconfig. */
export async function writeNodeIdentity(
  layout: Layout,
  node: NodeLayout,
  { authority }: Identities,
): Promise<void> {
  const server = await authority.serving(node.name, [node.address], [node.name]);
  await writeFile(inNode(node, 'kubelet.crt'), server.certificate, secret);
  await writeFile(inNode(node, 'kubelet.key'), server.key, secret);
  const user = `system:node:${node.name}`;
  const client = await authority.client(user, ['system:nodes']);
  await writeKubeconfig(
    layout,
    `kubelet-${node.name}`,
    kubeconfig(url(layout), authority.certificate, user, client),
  );
}
