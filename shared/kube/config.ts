import { existsSync, readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { messageOf, TransportError } from './errors.ts';
import { type KubeConfig, type KubeConfigDocument, parseKubeConfig } from './kube-config.ts';

export interface KubeConfigOptions {
  /** Path of a kubeconfig file; else `KUBECONFIG`, else the pod's service account, else `~/.kube/config`. */
  kubeconfig?: string | undefined;
  /** Context to use instead of the file's current one. */
  context?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Throws TransportError KUBE_CONFIG with one line that says what is missing and where. */
export function loadKubeConfig(options: KubeConfigOptions, env: Environment = process.env): KubeConfig {
  const { document, source } = find(options, env);
  if (options.context && !document.contexts.some(({ name }) => name === options.context)) {
    const names = document.contexts.map(({ name }) => name).join(', ') || 'none';
    throw invalid(`no context "${options.context}" in ${source} (it has: ${names})`);
  }
  return chosen(document, options.context || document.currentContext, source);
}

function find(
  options: KubeConfigOptions,
  env: Environment,
): { document: KubeConfigDocument; source: string } {
  if (options.kubeconfig) return { document: readFile(options.kubeconfig), source: options.kubeconfig };

  const files = (env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  if (files.length > 0) return { document: readMerged(files), source: files.join(delimiter) };

  if (env['KUBERNETES_SERVICE_HOST'] && existsSync(join(serviceAccount, 'token'))) {
    return { document: inCluster(env), source: "the pod's service account" };
  }
  const file = join(env['HOME'] ?? homedir(), '.kube', 'config');
  if (existsSync(file)) return { document: readFile(file), source: file };
  throw invalid(
    `no kubeconfig: give one by option or KUBECONFIG (there is no ${file}, and this is not a pod)`,
  );
}

const unreadable: Record<string, string> = {
  ENOENT: 'no such file',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
};

function readFile(file: string): KubeConfigDocument {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const why = unreadable[code] ?? messageOf(error);
    throw invalid(`cannot read the kubeconfig ${file}: ${why}`, error);
  }
  if (text.trim() === '') throw invalid(`the kubeconfig ${file} is empty`);
  try {
    return parseKubeConfig(text, dirname(resolve(file)));
  } catch (error) {
    throw invalid(`${file} is not a kubeconfig: ${messageOf(error)}`, error);
  }
}

/** `KUBECONFIG` may name several files: the first one that has a name wins, files that don't exist are skipped. */
function readMerged(files: string[]): KubeConfigDocument {
  const present = files.filter((file) => existsSync(file));
  const documents = (present.length > 0 ? present : files).map(readFile);
  return {
    clusters: documents.flatMap(({ clusters }) => clusters),
    users: documents.flatMap(({ users }) => users),
    contexts: documents.flatMap(({ contexts }) => contexts),
    currentContext: documents.find(({ currentContext }) => currentContext !== undefined)?.currentContext,
  };
}

function inCluster(env: Environment): KubeConfigDocument {
  const host = env['KUBERNETES_SERVICE_HOST'] ?? '';
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${env['KUBERNETES_SERVICE_PORT'] ?? '443'}`;
  const namespaceFile = join(serviceAccount, 'namespace');
  const namespace = existsSync(namespaceFile) ? readFileSync(namespaceFile, 'utf8') : undefined;
  const name = 'in-cluster';
  return {
    clusters: [{ name, server, caFile: join(serviceAccount, 'ca.crt') }],
    users: [{ name, tokenFile: join(serviceAccount, 'token') }],
    contexts: [{ name, cluster: name, user: name, namespace }],
    currentContext: name,
  };
}

/** What the context of that name stands for. */
function chosen(document: KubeConfigDocument, name: string | undefined, source: string): KubeConfig {
  const { clusters, users, contexts } = document;
  if (name === undefined) throw invalid(`${source} has no current-context`);
  const context = contexts.find((each) => each.name === name);
  if (!context) throw invalid(`the current-context "${name}" is not in ${source}`);
  const cluster = clusters.find((each) => each.name === context.cluster);
  if (!cluster) throw invalid(`the cluster "${context.cluster}" of context "${name}" is not in ${source}`);
  const user = users.find((each) => each.name === context.user);
  if (context.user && !user) {
    throw invalid(`the user "${context.user}" of context "${name}" is not in ${source}`);
  }
  const url = URL.canParse(cluster.server) ? new URL(cluster.server) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw invalid(`the server "${cluster.server}" of cluster "${cluster.name}" in ${source} is not a URL`);
  }
  return { cluster, user, namespace: context.namespace?.trim() || 'default' };
}

const invalid = (message: string, cause?: unknown): TransportError =>
  new TransportError('KUBE_CONFIG', message, { cause });
