import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { KubeConfig, loadYaml } from '@kubernetes/client-node';
import { messageOf, TransportError } from './errors.ts';

export interface KubeConfigOptions {
  /** Path of a kubeconfig file; else `KUBECONFIG`, else the pod's service account, else `~/.kube/config`. */
  kubeconfig?: string | undefined;
  /** Context to use instead of the file's current one. */
  context?: string | undefined;
}

const serviceAccountToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** Throws TransportError KUBE_CONFIG with one line that says what is missing and where. */
export function loadKubeConfig(
  options: KubeConfigOptions,
  env: Readonly<Record<string, string | undefined>> = process.env,
): KubeConfig {
  const { kubeConfig, source } = find(options, env);
  if (options.context) {
    if (!kubeConfig.getContextObject(options.context)) {
      const names = kubeConfig.contexts.map(({ name }) => name).join(', ') || 'none';
      throw invalid(`no context "${options.context}" in ${source} (it has: ${names})`);
    }
    kubeConfig.setCurrentContext(options.context);
  }
  check(kubeConfig, source);
  return kubeConfig;
}

/** The namespace of the current context (in a cluster: that of the pod), else `default`. */
export function currentNamespace(kubeConfig: KubeConfig): string {
  return kubeConfig.getContextObject(kubeConfig.getCurrentContext())?.namespace?.trim() || 'default';
}

function find(
  options: KubeConfigOptions,
  env: Readonly<Record<string, string | undefined>>,
): { kubeConfig: KubeConfig; source: string } {
  if (options.kubeconfig) return { kubeConfig: loadFile(options.kubeconfig), source: options.kubeconfig };

  const files = (env.KUBECONFIG ?? '').split(delimiter).filter((file) => file !== '');
  if (files.length > 0) return { kubeConfig: loadMerged(files), source: files.join(delimiter) };

  if (env.KUBERNETES_SERVICE_HOST && existsSync(serviceAccountToken)) {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromCluster();
    return { kubeConfig, source: "the pod's service account" };
  }
  const file = join(env.HOME ?? homedir(), '.kube', 'config');
  if (existsSync(file)) return { kubeConfig: loadFile(file), source: file };
  throw invalid(
    `no kubeconfig: give one by option or KUBECONFIG (there is no ${file}, and this is not a pod)`,
  );
}

function loadFile(file: string): KubeConfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const why = existsSync(file) ? messageOf(error) : 'no such file';
    throw invalid(`cannot read the kubeconfig ${file}: ${why}`, error);
  }
  const kubeConfig = new KubeConfig();
  try {
    kubeConfig.loadFromString(text);
    addTokenFiles(kubeConfig, text, dirname(file));
    kubeConfig.makePathsAbsolute(dirname(resolve(file)));
  } catch (error) {
    throw invalid(`${file} is not a kubeconfig: ${messageOf(error)}`, error);
  }
  return kubeConfig;
}

/** `KUBECONFIG` may name several files: the first one that has a name wins, files that don't exist are skipped. */
function loadMerged(files: string[]): KubeConfig {
  const present = files.filter((file) => existsSync(file));
  const [first, ...rest] = present.length > 0 ? present : files;
  const merged = loadFile(first ?? '');
  for (const file of rest) {
    const next = loadFile(file);
    merged.currentContext ||= next.currentContext;
    merged.clusters.push(...next.clusters.filter(({ name }) => !merged.getCluster(name)));
    merged.users.push(...next.users.filter(({ name }) => !merged.getUser(name)));
    merged.contexts.push(...next.contexts.filter(({ name }) => !merged.getContextObject(name)));
  }
  return merged;
}

interface UsersDocument {
  users?: { name: string; user?: { tokenFile?: string } | null }[] | null;
}

/** client-node doesn't read `tokenFile`; what it has for the in-cluster token file serves for it, too. */
function addTokenFiles(kubeConfig: KubeConfig, text: string, folder: string): void {
  const files = new Map<string, string>();
  for (const { name, user } of loadYaml<UsersDocument | undefined>(text)?.users ?? []) {
    if (user?.tokenFile) files.set(name, resolve(folder, user.tokenFile));
  }
  if (files.size === 0) return;
  kubeConfig.users = kubeConfig.users.map((user) => {
    const tokenFile = files.get(user.name);
    return tokenFile ? { ...user, authProvider: { name: 'tokenFile', config: { tokenFile } } } : user;
  });
}

function check(kubeConfig: KubeConfig, source: string): void {
  const name = kubeConfig.getCurrentContext();
  if (!name) throw invalid(`${source} has no current-context`);
  const context = kubeConfig.getContextObject(name);
  if (!context) throw invalid(`the current-context "${name}" is not in ${source}`);
  const cluster = kubeConfig.getCluster(context.cluster);
  if (!cluster) throw invalid(`the cluster "${context.cluster}" of context "${name}" is not in ${source}`);
  if (context.user && !kubeConfig.getUser(context.user)) {
    throw invalid(`the user "${context.user}" of context "${name}" is not in ${source}`);
  }
  const url = URL.canParse(cluster.server) ? new URL(cluster.server) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw invalid(`the server "${cluster.server}" of cluster "${cluster.name}" in ${source} is not a URL`);
  }
}

const invalid = (message: string, cause?: unknown): TransportError =>
  new TransportError('KUBE_CONFIG', message, { cause });
