import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadKubeConfig } from './config.ts';

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

const document = (name: string, server = 'https://127.0.0.1:6443', user = ''): string => `
apiVersion: v1
kind: Config
clusters: [{name: ${name}, cluster: {server: '${server}', certificate-authority: ca.crt}}]
users: [{name: ${name}, user: {${user}}}]
contexts:
- {name: ${name}, context: {cluster: ${name}, user: ${name}, namespace: ns-${name}}}
- {name: ${name}-other, context: {cluster: ${name}, user: ${name}}}
- {name: ${name}-broken, context: {cluster: nowhere, user: ${name}}}
- {name: ${name}-nobody, context: {cluster: ${name}, user: nobody}}
current-context: ${name}
`;

test('a file is read with its current context, or the one asked for', async (t) => {
  const kubeconfig = join(await folder(t), 'config');
  await writeFile(kubeconfig, document('one'));
  const kubeConfig = loadKubeConfig({ kubeconfig }, {});
  assert.equal(kubeConfig.cluster.server, 'https://127.0.0.1:6443');
  assert.equal(kubeConfig.namespace, 'ns-one');
  assert.equal(loadKubeConfig({ kubeconfig, context: 'one-other' }, {}).namespace, 'default');
});

test("a user's token file and the certificate files are found beside the kubeconfig", async (t) => {
  const path = await folder(t);
  const kubeconfig = join(path, 'config');
  await writeFile(kubeconfig, document('one', undefined, 'tokenFile: tokens/mine, client-key: my.key'));
  const kubeConfig = loadKubeConfig({ kubeconfig }, {});
  assert.equal(kubeConfig.user?.tokenFile, join(path, 'tokens/mine'));
  assert.equal(kubeConfig.user?.keyFile, join(path, 'my.key'));
  assert.equal(kubeConfig.cluster.caFile, join(path, 'ca.crt'));
});

test('the files of KUBECONFIG are merged, the first that has a name wins, missing ones are skipped', async (t) => {
  const path = await folder(t);
  await writeFile(join(path, 'a'), document('one'));
  await writeFile(join(path, 'b'), document('two'));
  await writeFile(join(path, 'c'), document('one', 'https://other'));
  const env = { KUBECONFIG: `${path}/missing:${path}/a:${path}/b:${path}/c` };
  const kubeConfig = loadKubeConfig({}, env);
  assert.equal(kubeConfig.cluster.server, 'https://127.0.0.1:6443');
  assert.equal(loadKubeConfig({ context: 'two' }, env).namespace, 'ns-two');
});

test('without any choice the file in the home folder is read', async (t) => {
  const home = await folder(t);
  await mkdir(join(home, '.kube'));
  await writeFile(join(home, '.kube', 'config'), document('home'));
  assert.equal(loadKubeConfig({}, { HOME: home }).namespace, 'ns-home');
});

test('what is wrong is said in one line', async (t) => {
  const path = await folder(t);
  const kubeconfig = join(path, 'config');
  await writeFile(kubeconfig, document('one'));
  await writeFile(join(path, 'yaml'), '{ [');
  await writeFile(join(path, 'nothing'), '\n');
  await writeFile(join(path, 'pod'), 'kind: Pod\nmetadata: {name: x}');
  await writeFile(join(path, 'text'), 'hello');
  await writeFile(join(path, 'empty'), 'kind: Config');
  await writeFile(join(path, 'server'), document('one', 'localhost'));
  await writeFile(join(path, 'incomplete'), 'clusters: [{name: x}]');
  const rows: [Parameters<typeof loadKubeConfig>[0], string | RegExp][] = [
    [{ kubeconfig: `${path}/none` }, `cannot read the kubeconfig ${path}/none: no such file`],
    [{ kubeconfig: path }, `cannot read the kubeconfig ${path}: it is a directory`],
    [{ kubeconfig: `${path}/nothing` }, `the kubeconfig ${path}/nothing is empty`],
    [{ kubeconfig: `${path}/pod` }, `${path}/pod is not a kubeconfig: it is a Pod`],
    [{ kubeconfig: `${path}/text` }, `${path}/text is not a kubeconfig: it is a string`],
    [{ kubeconfig: `${path}/yaml` }, /yaml is not a kubeconfig: .+/],
    [{ kubeconfig: `${path}/empty` }, `${path}/empty has no current-context`],
    [
      { kubeconfig: `${path}/incomplete` },
      /incomplete is not a kubeconfig: clusters\[0\]\.cluster\.server is missing/,
    ],
    [{ kubeconfig: `${path}/server` }, /the server "localhost" of cluster "one" in .* is not a URL/],
    [{ kubeconfig, context: 'no' }, /^no context "no" in .*config \(it has: one, one-other, .*\)$/],
    [{ kubeconfig, context: 'one-broken' }, /^the cluster "nowhere" of context "one-broken" is not in/],
    [{ kubeconfig, context: 'one-nobody' }, /^the user "nobody" of context "one-nobody" is not in/],
    [{}, /^no kubeconfig: give one by option or KUBECONFIG/],
  ];
  for (const [options, message] of rows) {
    assert.throws(
      () => loadKubeConfig(options, { HOME: path }),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'KUBE_CONFIG');
        assert.ok(!error.message.includes('\n'), error.message);
        if (typeof message === 'string') assert.equal(error.message, message);
        else assert.match(error.message, message);
        return true;
      },
    );
  }
});
