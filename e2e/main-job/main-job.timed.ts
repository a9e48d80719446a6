/** The whole main job: it reports objects that are without a live shard for more than 2 s. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nothingLeft, start } from './started.ts';

test('the script ends with every object on a live shard and no rule broken', async () => {
  const run = start();
  assert.equal(await run.code, 0, run.output() + run.errors());
  const output = run.output();
  const steps = [
    'start',
    'fill',
    'join',
    'stop',
    'kill',
    'leader',
    'create',
    'grow',
    'pin',
    'weight',
    'cordon',
  ];
  for (const step of [...steps, 'uncordon', 'drain', 'leave', 'unpin', 'quiet']) {
    assert.match(output, new RegExp(`^${step} .*at rest after \\d+\\.\\d s`, 'm'));
  }
  // Only a SIGKILL may leave an object without a live shard for more than 2 s. (Of the leading sharder: the API server's
  // connection to its webhook is lost with it, and a call on it; then the object waits for the next leader.)
  for (const [, step, waited] of output.matchAll(/^(\w+) .*longest without a live shard (\d+\.\d) s/gm)) {
    assert.ok(Number(waited) <= (['kill', 'leader'].includes(step ?? '') ? 20 : 2), `${step}: ${waited} s`);
  }
  assert.match(output, /^join .* 75 Secrets and 75 ConfigMaps moved/m);
  assert.match(output, /^leader .*, nothing moved/m);
  assert.match(output, /^grow .* 140 Secrets and 140 ConfigMaps moved/m);
  assert.match(output, /^pin .* 1 Secret and 1 ConfigMap moved/m);
  assert.match(output, /^weight .* (69|70) Secrets and (69|70) ConfigMaps moved/m);
  assert.match(output, /^cordon .* cordoned with 210 Secrets, 40 Secrets created; .*, nothing moved/m);
  assert.match(output, /^uncordon .* uncordoned with 210 Secrets; .* 20 Secrets and 20 ConfigMaps moved/m);
  assert.match(output, /^drain .* 230 Secrets; .* 230 Secrets and 230 ConfigMaps moved/m);
  assert.match(output, /^leave .*, nothing moved/m);
  assert.match(output, /^unpin .*, nothing moved/m);
  assert.match(output, /^all 460 Secrets and 460 ConfigMaps are on live shards, each pair together/m);
  assert.match(output, /^no rule was broken/m);
  await nothingLeft();
});
