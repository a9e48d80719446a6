import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { websites } from '@controller-sharding/operator/webhosting/resources.ts';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import type { KubeObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import { stringify } from 'yaml';
import { type ControlPlane, startControlPlane } from '../harness/control-plane.ts';
import { waitFor } from '../harness/wait-for.ts';
import { type Right, textOf } from './rbac-table.ts';

interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

interface Role extends KubeObject {
  rules?: Rule[];
}

/** A ServiceAccount. */
export interface Account {
  namespace: string;
  name: string;
}

/** A request that was refused for want of a right. */
interface Refusal {
  verb: string;
  group: string;
  /** With its subresource, if it has one. */
  resource: string;
}

interface AccessReview extends KubeObject {
  spec: object;
  status?: { allowed?: boolean };
}

interface AuditEvent {
  user?: { username?: string };
  verb: string;
  objectRef?: { resource?: string; subresource?: string; apiGroup?: string };
  responseStatus?: { code?: number; message?: string };
}

const api = 'rbac.authorization.k8s.io';
const role = (resource: string, kind: string, namespaced: boolean): Resource => ({
  group: api,
  version: 'v1',
  resource,
  kind,
  namespaced,
});
const clusterRoles = role('clusterroles', 'ClusterRole', false);
const roles = role('roles', 'Role', true);
const accessReviews: Resource = {
  group: 'authorization.k8s.io',
  version: 'v1',
  resource: 'subjectaccessreviews',
  kind: 'SubjectAccessReview',
  namespaced: false,
};
export const manifests = (name: string): string =>
  fileURLToPath(new URL(`../../manifests/${name}`, import.meta.url));

/** A control plane with what of the manifests is asked for, that notes which requests of ServiceAccounts it refuses. */
export class RightsPlane {
  readonly controlPlane: ControlPlane;
  readonly client: KubeClient;
  readonly #auditLog: string;

  private constructor(controlPlane: ControlPlane, client: KubeClient, auditLog: string) {
    this.controlPlane = controlPlane;
    this.client = client;
    this.#auditLog = auditLog;
  }

  /**
   * Its API server refuses watch lists, as older ones do, so that `list` is needed, too; and it checks that who sets an
   * owner reference that blocks a deletion may update the owner's finalizers, as some do.
   */
  static async start(t: TestContext, folders: readonly string[]): Promise<RightsPlane> {
    const folder = await mkdtemp(join(tmpdir(), 'rbac-'));
    const [policyFile, auditLog] = [join(folder, 'policy.yaml'), join(folder, 'audit.log')];
    const policy = {
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Policy',
      omitStages: ['RequestReceived', 'ResponseStarted'],
      rules: [{ level: 'Metadata', userGroups: ['system:serviceaccounts'] }, { level: 'None' }],
    };
    await writeFile(policyFile, stringify(policy));
    await writeFile(auditLog, '');
    const controlPlane = await startControlPlane({
      apiServerArgs: [
        `--audit-policy-file=${policyFile}`,
        `--audit-log-path=${auditLog}`,
        '--feature-gates=WatchList=false',
        '--enable-admission-plugins=OwnerReferencesPermissionEnforcement',
      ],
    });
    const transport = new Transport(loadKubeConfig({ kubeconfig: controlPlane.kubeconfigPath }));
    t.after(async () => {
      await transport.close();
      await controlPlane.stop();
      await rm(folder, { recursive: true });
    });
    for (const each of folders) {
      await controlPlane.kubectl(['apply', '-k', manifests(each)]);
      await controlPlane.kubectl(['wait', '--for=condition=Established', 'crd', '--all']);
    }
    return new RightsPlane(controlPlane, new KubeClient(transport), auditLog);
  }

  kubeconfig({ namespace, name }: Account): Promise<string> {
    const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
    return this.controlPlane.userKubeconfig(userOf({ namespace, name }), groups);
  }

  /** Gives an account all rights of a ClusterRole; the aggregation of ClusterRoles is not at work here. */
  async bind(name: string, { namespace, name: account }: Account): Promise<void> {
    const binding = {
      apiVersion: `${api}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: `${name}-of-${account}` },
      roleRef: { apiGroup: api, kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
    };
    await this.controlPlane.kubectl(['apply', '-f', '-'], { input: stringify(binding) });
  }

  /** Works while an account hasn't this right. */
  async without(right: Right, account: Account, work: () => Promise<void>): Promise<void> {
    const { resource, ref } = placeOf(right, account.namespace);
    const present = await this.client.get<Role>(resource, ref);
    const setRules = (rules: Rule[] | undefined): Promise<unknown> =>
      this.client.patch(resource, ref, { type: 'merge', body: { rules } });
    await setRules(present.rules?.flatMap((rule) => less(rule, right)));
    try {
      await this.#until(right, account, false);
      await work();
    } finally {
      await setRules(present.rules);
      await this.#until(right, account, true);
    }
  }

  /** Requests of an account that were refused, from the `since`-th on of all that are noted. */
  async refusals(account: Account, since: number): Promise<Refusal[]> {
    const lines = (await readFile(this.#auditLog, 'utf8')).split('\n').slice(since, -1);
    return lines.flatMap((line) => {
      const { user, verb, objectRef, responseStatus }: AuditEvent = JSON.parse(line);
      const isMeant = user?.username === userOf(account) && responseStatus?.code === 403;
      return isMeant ? [refusalOf(verb, objectRef, responseStatus.message ?? '')] : [];
    });
  }

  async noted(): Promise<number> {
    return (await readFile(this.#auditLog, 'utf8')).split('\n').length - 1;
  }

  /** The authorizer learns of a change by a watch. */
  async #until(right: Right, account: Account, allowed: boolean): Promise<void> {
    const [resource = '', subresource] = right.resource.split('/');
    const spec = {
      user: userOf(account),
      resourceAttributes: {
        verb: right.verb,
        group: right.group,
        resource,
        subresource,
        name: right.name,
        namespace: isLocal(right) ? account.namespace : 'default',
      },
    };
    await waitFor(`${textOf(right)} to be ${allowed ? 'allowed' : 'refused'}`, async () => {
      const review: AccessReview = {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        metadata: { name: '' },
        spec,
      };
      const answer = await this.client.create<AccessReview>(accessReviews, review);
      return (answer.status?.allowed ?? false) === allowed;
    });
  }
}

/** An apply that would create may lack the right to create, and then its message says so. */
function refusalOf(verb: string, objectRef: AuditEvent['objectRef'], message: string): Refusal {
  if (message.includes('blockOwnerDeletion')) {
    return { verb: 'update', group: websites.group, resource: 'websites/finalizers' };
  }
  const [, said, what, of] = /cannot (\S+) resource "([^"]+)" in API group "([^"]*)"/.exec(message) ?? [];
  if (said !== undefined && what !== undefined && of !== undefined)
    return { verb: said, group: of, resource: what };
  const { resource = '', subresource, apiGroup = '' } = objectRef ?? {};
  return {
    verb,
    group: apiGroup,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
  };
}

const userOf = ({ namespace, name }: Account): string => `system:serviceaccount:${namespace}:${name}`;

/** `Role NAME` is in the account's namespace, else it is a ClusterRole. */
const isLocal = ({ role: name }: Right): boolean => name.startsWith('Role ');

const placeOf = (right: Right, namespace: string) =>
  isLocal(right)
    ? { resource: roles, ref: { namespace, name: right.role.replace('Role ', '') } }
    : { resource: clusterRoles, ref: { name: right.role } };

const isOf = (rule: Rule, { group, resource, name }: Right): boolean =>
  rule.apiGroups.join(', ') === group &&
  rule.resources.includes(resource) &&
  rule.resourceNames?.[0] === name;

/** The rule without a right, as one or two rules that the API server takes. */
function less(rule: Rule, right: Right): Rule[] {
  if (!isOf(rule, right)) return [rule];
  const others = { ...rule, resources: rule.resources.filter((each) => each !== right.resource) };
  const left = {
    ...rule,
    resources: [right.resource],
    verbs: rule.verbs.filter((verb) => verb !== right.verb),
  };
  return [others, left].filter(({ resources, verbs }) => resources.length > 0 && verbs.length > 0);
}
