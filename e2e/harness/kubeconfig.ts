import { stringify } from 'yaml';
import type { KeyAndCertificate } from './certificates.ts';

/** The name of the only context. */
export const kubeconfigContext = 'control-plane';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** The text of a kubeconfig file with one cluster and one user, who shows a client certificate. */
export function kubeconfig(
  url: string,
  authority: string,
  user: string,
  { certificate, key }: KeyAndCertificate,
): string {
  const name = kubeconfigContext;
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: url, 'certificate-authority-data': base64(authority) } }],
    users: [
      {
        name: user,
        user: { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) },
      },
    ],
    contexts: [{ name, context: { cluster: name, user } }],
    'current-context': name,
  });
}
