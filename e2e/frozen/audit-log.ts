import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';

/** A write as the API server noted it. */
export interface AuditedWrite {
  userAgent: string;
  verb: string;
  resource: string;
  name: string;
  status: number;
  /** Ms since the epoch at which the API server received it. */
  at: number;
}

interface AuditEvent {
  userAgent?: string;
  verb: string;
  objectRef?: { resource?: string; name?: string };
  responseStatus?: { code?: number };
  requestReceivedTimestamp: string;
}

const policy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    {
      level: 'Metadata',
      verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'],
      resources: [{ group: '', resources: ['secrets', 'configmaps'] }],
    },
    { level: 'None' },
  ],
};

/** The API server's log of all writes to Secrets and ConfigMaps. */
export class AuditLog {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Writes the policy into the folder, which gets the log, too. */
  static async prepare(folder: string): Promise<AuditLog> {
    const log = new AuditLog(folder);
    await writeFile(log.#policyFile, stringify(policy));
    return log;
  }

  /** Flags of the API server. */
  get args(): string[] {
    return [`--audit-policy-file=${this.#policyFile}`, `--audit-log-path=${this.#logFile}`];
  }

  async writes(): Promise<AuditedWrite[]> {
    const lines = (await readFile(this.#logFile, 'utf8')).split('\n');
    return lines.flatMap((line) => {
      if (line === '') return [];
      const event: AuditEvent = JSON.parse(line);
      return [
        {
          userAgent: event.userAgent ?? '',
          verb: event.verb,
          resource: event.objectRef?.resource ?? '',
          name: event.objectRef?.name ?? '',
          status: event.responseStatus?.code ?? 0,
          at: Date.parse(event.requestReceivedTimestamp),
        },
      ];
    });
  }

  get #policyFile(): string {
    return join(this.#folder, 'audit-policy.yaml');
  }

  get #logFile(): string {
    return join(this.#folder, 'audit.log');
  }
}
