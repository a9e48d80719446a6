import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { test } from 'node:test';
import { UsageError } from '@controller-sharding/shared/runtime/process.ts';
import { parseOptions, type Terminal } from './options.ts';

const terminal: Terminal = { isTTY: true, env: {} };
const piped: Terminal = { isTTY: false, env: {} };

test('defaults: a control plane of its own, three replicas, 300 Secrets', async () => {
  assert.deepEqual(await parseOptions([], terminal), {
    kubeconfig: undefined,
    secrets: 300,
    replicas: 3,
    webhookPort: undefined,
    live: true,
    plant: undefined,
  });
});

const live = async (args: string[], at: Terminal) => (await parseOptions(args, at))?.live;

test('live in a terminal, unless CI is set or --no-tty is given', async () => {
  assert.equal(await live([], terminal), true);
  assert.equal(await live([], { ...terminal, env: { CI: '' } }), true);
  assert.equal(await live([], { ...terminal, env: { CI: 'false' } }), true);
  assert.equal(await live([], { ...terminal, env: { CI: '1' } }), false);
  assert.equal(await live(['--tty'], { ...terminal, env: { CI: '1' } }), true);
  assert.equal(await live(['--no-tty'], terminal), false);
  assert.equal(await live([], piped), false);
});

test('a leading ~ of a kubeconfig is the home folder', async () => {
  assert.equal((await parseOptions(['--kubeconfig', '~/x'], piped))?.kubeconfig, `${homedir()}/x`);
});

const wrong: [string, string[], RegExp][] = [
  ['an unknown flag', ['--replica', '3'], /replica/],
  ['a number that is none', ['--secrets', 'many'], /--secrets: must be a whole number from 0 to 10000/],
  ['too few replicas for the script', ['--replicas', '1'], /--replicas: must be a whole number from 2 to 20/],
  ['a port out of range', ['--webhook-port', '70000'], /--webhook-port: .* from 1 to 65535/],
  ['an empty kubeconfig', ['--kubeconfig', ''], /--kubeconfig: a file is missing/],
  ['--tty without a terminal', ['--tty'], /--tty: this is not a terminal/],
  ['an unknown plant', ['--plant', 'rose'], /rose/],
];

for (const [what, args, message] of wrong) {
  test(`wrong usage: ${what}`, async () => {
    await assert.rejects(parseOptions(args, piped), (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, message);
      return true;
    });
  });
}
