import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { TransportError } from './errors.ts';
import type { Cluster, ExecSpec } from './kube-config.ts';

export interface ExecCredential {
  token: string | undefined;
  certificate: { cert: string; key: string } | undefined;
  expiresAt: Date | undefined;
}

interface ExecCredentialDocument {
  kind?: string;
  status?: {
    token?: string;
    clientCertificateData?: string;
    clientKeyData?: string;
    expirationTimestamp?: string;
  };
}

const timeoutMs = 60_000;
const maxOutputBytes = 1 << 20;

/**
 * Runs a credential plugin (client.authentication.k8s.io) without a terminal and returns what it printed.
 * Throws TransportError KUBE_CONFIG, with the plugin's own words where it has any.
 */
export async function runExecPlugin(spec: ExecSpec, cluster: Cluster): Promise<ExecCredential> {
  const { command } = spec;
  if (!command)
    throw new TransportError('KUBE_CONFIG', 'the kubeconfig names an exec plugin without a command');
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const { name, value } of spec.env ?? []) env[name] = value;
  env.KUBERNETES_EXEC_INFO = JSON.stringify(await execInfo(spec, cluster));

  const output = await new Promise<string>((resolve, reject) => {
    const child = execFile(
      command,
      spec.args ?? [],
      { env, timeout: timeoutMs, maxBuffer: maxOutputBytes },
      (error, stdout, stderr) => {
        if (error) reject(failed(spec, error, stderr));
        else resolve(stdout);
      },
    );
    child.stdin?.end();
  });
  return parse(command, output);
}

async function execInfo(spec: ExecSpec, cluster: Cluster): Promise<object> {
  const info: Record<string, unknown> = { interactive: false };
  if (spec.provideClusterInfo) {
    info.cluster = {
      server: cluster.server,
      'tls-server-name': cluster.tlsServerName,
      'insecure-skip-tls-verify': cluster.skipTLSVerify || undefined,
      'certificate-authority-data':
        cluster.caData ?? (cluster.caFile ? await readFile(cluster.caFile, 'base64') : undefined),
      'proxy-url': cluster.proxyUrl,
    };
  }
  return {
    apiVersion: spec.apiVersion ?? 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: info,
  };
}

function failed(spec: ExecSpec, error: Error & { code?: unknown }, stderr: string): TransportError {
  const said = stderr.trim().split('\n').at(-1) ?? '';
  const why =
    error.code === 'ENOENT'
      ? `not found${spec.installHint ? `; ${spec.installHint.trim().split('\n')[0] ?? ''}` : ''}`
      : said || (error.message.split('\n')[0] ?? '');
  return new TransportError('KUBE_CONFIG', `exec plugin ${spec.command ?? ''}: ${why}`, { cause: error });
}

function parse(command: string, output: string): ExecCredential {
  let document: ExecCredentialDocument;
  try {
    document = JSON.parse(output);
  } catch (error) {
    throw new TransportError('KUBE_CONFIG', `exec plugin ${command}: its output is not JSON`, {
      cause: error,
    });
  }
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = document.status ?? {};
  const certificate =
    clientCertificateData && clientKeyData ? { cert: clientCertificateData, key: clientKeyData } : undefined;
  if (!token && !certificate) {
    throw new TransportError(
      'KUBE_CONFIG',
      `exec plugin ${command}: it returned neither token nor certificate`,
    );
  }
  const expiresAt = expirationTimestamp ? new Date(expirationTimestamp) : undefined;
  if (expiresAt && Number.isNaN(expiresAt.getTime())) {
    throw new TransportError('KUBE_CONFIG', `exec plugin ${command}: bad expirationTimestamp`);
  }
  return { token, certificate, expiresAt };
}
