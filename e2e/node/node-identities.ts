import { writeFile } from 'node:fs/promises';
import { CertificateAuthority } from '../harness/certificates.ts';
import { kubeconfigFile, type Layout, pkiFile } from '../harness/control-plane-daemons.ts';
import { type Identities, writeKubeconfig } from '../harness/control-plane-files.ts';
import { kubeconfig } from '../harness/kubeconfig.ts';
import { addressOf, FIRST, type NodeLayout } from './layout.ts';
import { inNode } from './node-files.ts';

/** By it a server that stands behind the API server knows that it is called by that. */
export const FRONT_PROXY_NAME = 'front-proxy-client';

const secret = { mode: 0o600 };

/** By which nodes reach the API server. */
const url = ({ apiServerPort }: Layout): string => `https://${addressOf(FIRST)}:${apiServerPort}`;

/**
 * What all nodes share: the API server's certificates for kubelets and for the servers behind it, and kube-proxy's
 * kubeconfig.
 */
export async function writeSharedIdentities(layout: Layout, { authority }: Identities): Promise<void> {
  const kubeletClient = await authority.client('kube-apiserver-kubelet-client', ['system:masters']);
  await writeFile(pkiFile(layout, 'kubelet-client.crt'), kubeletClient.certificate, secret);
  await writeFile(pkiFile(layout, 'kubelet-client.key'), kubeletClient.key, secret);
  // Whoever has a certificate of this authority may speak for any user, so it signs no other one.
  const frontProxyAuthority = await CertificateAuthority.create('front-proxy');
  const frontProxy = await frontProxyAuthority.client(FRONT_PROXY_NAME);
  await writeFile(pkiFile(layout, 'front-proxy-ca.crt'), frontProxyAuthority.certificate, secret);
  await writeFile(pkiFile(layout, 'front-proxy.crt'), frontProxy.certificate, secret);
  await writeFile(pkiFile(layout, 'front-proxy.key'), frontProxy.key, secret);
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
