import { mkdir, writeFile } from 'node:fs/promises';
import { CertificateAuthority, type KeyAndCertificate, serviceAccountKeys } from './certificates.ts';
import {
  API_SERVICE_ADDRESS,
  kubeconfigFile,
  type Layout,
  logFolder,
  pkiFile,
  urlOf,
} from './control-plane-daemons.ts';
import { kubeconfig } from './kubeconfig.ts';

const OWN_USERS = ['admin', 'kube-controller-manager', 'kube-scheduler'] as const;
type OwnUser = (typeof OWN_USERS)[number];

/** Users of the control plane's own parts, by the name of their kubeconfig file. */
const USERS: Record<OwnUser, { user: string; groups: string[] }> = {
  admin: { user: 'admin', groups: ['system:masters'] },
  'kube-controller-manager': { user: 'system:kube-controller-manager', groups: [] },
  'kube-scheduler': { user: 'system:kube-scheduler', groups: [] },
};

const SERVER_NAMES = [
  'localhost',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
];

export interface Identities {
  authority: CertificateAuthority;
  clients: Record<OwnUser, KeyAndCertificate>;
}

/**
 * Makes the folders, and the keys and certificates of a new control plane. `addresses`: at which its API server is
 * reached, beside the loopback address.
 */
export async function writeIdentities(dir: string, addresses: string[] = []): Promise<Identities> {
  await Promise.all(
    [pkiFile({ dir }, '.'), logFolder({ dir })].map((folder) => mkdir(folder, { recursive: true })),
  );
  const authority = await CertificateAuthority.create('control-plane');
  const clientOf = (name: OwnUser): Promise<KeyAndCertificate> =>
    authority.client(USERS[name].user, USERS[name].groups);
  const [server, admin, controllerManager, scheduler] = await Promise.all([
    authority.serving('kube-apiserver', ['127.0.0.1', API_SERVICE_ADDRESS, ...addresses], SERVER_NAMES),
    clientOf('admin'),
    clientOf('kube-controller-manager'),
    clientOf('kube-scheduler'),
  ]);
  const serviceAccounts = serviceAccountKeys();
  const files: Record<string, string> = {
    'ca.crt': authority.certificate,
    'apiserver.crt': server.certificate,
    'apiserver.key': server.key,
    'service-accounts.key': serviceAccounts.privateKey,
    'service-accounts.pub': serviceAccounts.publicKey,
  };
  await Promise.all(
    Object.entries(files).map(([name, text]) => writeFile(pkiFile({ dir }, name), text, { mode: 0o600 })),
  );
  return {
    authority,
    clients: { admin, 'kube-controller-manager': controllerManager, 'kube-scheduler': scheduler },
  };
}

/** The text of the kubeconfig of a user who is allowed everything. */
export const adminKubeconfig = (layout: Layout, { authority, clients }: Identities): string =>
  kubeconfig(urlOf(layout), authority.certificate, USERS.admin.user, clients.admin);

/** Writes a kubeconfig file, readable by its owner only, and returns its path. */
export async function writeKubeconfig(layout: Layout, fileName: string, text: string): Promise<string> {
  const path = kubeconfigFile(layout, fileName);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

/** Writes the kubeconfig files of the control plane's own parts and of its admin; again when the port has changed. */
export async function writeOwnKubeconfigs(layout: Layout, { authority, clients }: Identities): Promise<void> {
  await Promise.all(
    OWN_USERS.map((name) =>
      writeKubeconfig(
        layout,
        name,
        kubeconfig(urlOf(layout), authority.certificate, USERS[name].user, clients[name]),
      ),
    ),
  );
}
