import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKubeConfig } from './kube-config.ts';

test('all that is used of a kubeconfig is read, with files relative to its folder', () => {
  const text = `
apiVersion: v1
kind: Config
current-context: here
preferences: {}
clusters:
- name: far
  cluster:
    server: https://far:6443/
    certificate-authority: pki/ca.crt
    certificate-authority-data: Y2E=
    insecure-skip-tls-verify: true
    tls-server-name: name
    proxy-url: http://proxy
contexts:
- {name: here, context: {cluster: far, user: ada, namespace: shop}}
users:
- name: ada
  user:
    client-certificate: /pki/ada.crt
    client-certificate-data: Y3J0
    client-key: ada.key
    client-key-data: a2V5
    token: secret
    tokenFile: token
    username: Ada
    password: '1815'
    as: bob
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: login
      args: [--now]
      env: [{name: A, value: b}]
      installHint: install it
      provideClusterInfo: true
- name: old
  user: {auth-provider: {name: gcp, config: {a: b}}}
`;
  assert.deepEqual(parseKubeConfig(text, '/home/ada/.kube'), {
    currentContext: 'here',
    clusters: [
      {
        name: 'far',
        server: 'https://far:6443',
        caFile: '/home/ada/.kube/pki/ca.crt',
        caData: 'Y2E=',
        skipTLSVerify: true,
        tlsServerName: 'name',
        proxyUrl: 'http://proxy',
      },
    ],
    contexts: [{ name: 'here', cluster: 'far', user: 'ada', namespace: 'shop' }],
    users: [
      {
        name: 'ada',
        certFile: '/pki/ada.crt',
        certData: 'Y3J0',
        keyFile: '/home/ada/.kube/ada.key',
        keyData: 'a2V5',
        token: 'secret',
        tokenFile: '/home/ada/.kube/token',
        username: 'Ada',
        password: '1815',
        impersonateUser: 'bob',
        exec: {
          apiVersion: 'client.authentication.k8s.io/v1',
          command: 'login',
          args: ['--now'],
          env: [{ name: 'A', value: 'b' }],
          installHint: 'install it',
          provideClusterInfo: true,
        },
        authProvider: undefined,
      },
      { ...nobody, name: 'old', authProvider: 'gcp' },
    ],
  });
});

const nobody = {
  certFile: undefined,
  certData: undefined,
  keyFile: undefined,
  keyData: undefined,
  token: undefined,
  tokenFile: undefined,
  username: undefined,
  password: undefined,
  impersonateUser: undefined,
  exec: undefined,
};

test('null and empty fields count as absent', () => {
  const text = `
clusters: [{name: a, cluster: {server: 'http://a', certificate-authority: null, proxy-url: ''}}]
contexts: null
users: [{name: a, user: {exec: {command: login, args: null, env: null}}}, {name: nobody}]`;
  const { clusters, contexts, users, currentContext } = parseKubeConfig(text, '/');
  assert.deepEqual([clusters[0]?.caFile, clusters[0]?.proxyUrl], [undefined, undefined]);
  assert.deepEqual([contexts, currentContext], [[], undefined]);
  assert.deepEqual([users[0]?.exec?.args, users[0]?.exec?.env], [[], []]);
  assert.equal(users[1]?.token, undefined);
});

const wrong: [text: string, message: string][] = [
  ['hello', 'it is a string'],
  ['[]', 'it is not a mapping'],
  ['kind: Pod', 'it is a Pod'],
  ['clusters: {}', 'clusters is not a list'],
  ['clusters: [a]', 'clusters[0] is not a mapping'],
  ['clusters: [{cluster: {server: a}}]', 'clusters[0].name is missing'],
  ['clusters: [{name: a}]', 'clusters[0].cluster.server is missing'],
  ['contexts: [{name: a, context: {user: b}}]', 'contexts[0].context.cluster is missing'],
  ['users: [{name: a, user: {password: 1815}}]', 'users[0].user.password is not a text: quote it'],
  ['users: [{name: a, user: {exec: {args: [1]}}}]', 'users[0].user.exec.args[0] is not a text: quote it'],
  ['users: [{name: a, user: {exec: {env: [{value: b}]}}}]', 'users[0].user.exec.env[0].name is missing'],
];
for (const [text, message] of wrong) {
  test(`of a wrong kubeconfig it is said that ${message}`, () => {
    assert.throws(() => parseKubeConfig(text, '/'), { message });
  });
}
