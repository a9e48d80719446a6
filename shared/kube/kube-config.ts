import { resolve } from 'node:path';
import { load } from 'js-yaml';
import { KubeConfigFields } from './kube-config-fields.ts';

/** Where an API server is. Files have absolute paths, `…Data` is base64. */
export interface Cluster {
  name: string;
  server: string;
  caFile?: string | undefined;
  caData?: string | undefined;
  skipTLSVerify?: boolean | undefined;
  tlsServerName?: string | undefined;
  proxyUrl?: string | undefined;
}

/** Who asks it. */
export interface User {
  name: string;
  certFile?: string | undefined;
  certData?: string | undefined;
  keyFile?: string | undefined;
  keyData?: string | undefined;
  token?: string | undefined;
  tokenFile?: string | undefined;
  username?: string | undefined;
  password?: string | undefined;
  impersonateUser?: string | undefined;
  exec?: ExecSpec | undefined;
  /** Name of an auth provider, the predecessor of exec plugins. */
  authProvider?: string | undefined;
}

/** A credential plugin: a program that prints a credential. */
export interface ExecSpec {
  apiVersion?: string | undefined;
  command?: string | undefined;
  args?: string[] | undefined;
  env?: { name: string; value: string }[] | undefined;
  installHint?: string | undefined;
  provideClusterInfo?: boolean | undefined;
}

export interface Context {
  name: string;
  cluster: string;
  user?: string | undefined;
  namespace?: string | undefined;
}

/** The content of a kubeconfig, or of several merged. */
export interface KubeConfigDocument {
  clusters: Cluster[];
  users: User[];
  contexts: Context[];
  currentContext: string | undefined;
}

/** The present choice from a kubeconfig: what a Transport needs to know. */
export interface KubeConfig {
  cluster: Cluster;
  /** Undefined: nobody in particular. */
  user: User | undefined;
  namespace: string;
}

/** Paths are relative to `folder`. Throws an error that names the field when the text is not a kubeconfig. */
export function parseKubeConfig(text: string, folder: string): KubeConfigDocument {
  const content = load(text);
  if (typeof content !== 'object') throw new Error(`it is a ${typeof content}`);
  const document = new KubeConfigFields(content, '');
  const kind = document.text('kind') ?? 'Config';
  if (kind !== 'Config') throw new Error(`it is a ${kind}`);
  const file = (fields: KubeConfigFields, name: string): string | undefined => {
    const path = fields.text(name);
    return path && resolve(folder, path);
  };
  return {
    currentContext: document.text('current-context'),
    clusters: document.entries('clusters', 'cluster', (name, cluster) => ({
      name,
      server: cluster.neededText('server').replace(/\/$/, ''),
      caFile: file(cluster, 'certificate-authority'),
      caData: cluster.text('certificate-authority-data'),
      skipTLSVerify: cluster.isTrue('insecure-skip-tls-verify'),
      tlsServerName: cluster.text('tls-server-name'),
      proxyUrl: cluster.text('proxy-url'),
    })),
    contexts: document.entries('contexts', 'context', (name, context) => ({
      name,
      cluster: context.neededText('cluster'),
      user: context.text('user'),
      namespace: context.text('namespace'),
    })),
    users: document.entries('users', 'user', (name, user) => ({
      name,
      certFile: file(user, 'client-certificate'),
      certData: user.text('client-certificate-data'),
      keyFile: file(user, 'client-key'),
      keyData: user.text('client-key-data'),
      token: user.text('token'),
      tokenFile: file(user, 'tokenFile'),
      username: user.text('username'),
      password: user.text('password'),
      impersonateUser: user.text('as'),
      exec: execSpec(user.fields('exec')),
      authProvider: user.fields('auth-provider')?.text('name'),
    })),
  };
}

function execSpec(exec: KubeConfigFields | undefined): ExecSpec | undefined {
  return (
    exec && {
      apiVersion: exec.text('apiVersion'),
      command: exec.text('command'),
      args: exec.texts('args'),
      env: exec.list('env').map((variable) => ({
        name: variable.neededText('name'),
        value: variable.text('value') ?? '',
      })),
      installHint: exec.text('installHint'),
      provideClusterInfo: exec.isTrue('provideClusterInfo'),
    }
  );
}
