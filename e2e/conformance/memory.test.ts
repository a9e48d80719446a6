import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTranscripts } from './golden.ts';
import { MemoryWorld } from './memory-world.ts';
import { Stage } from './stage.ts';
import { suite } from './suite.ts';

for (const [theme, scenarios] of Object.entries(suite)) {
  const transcripts = await readTranscripts(theme);
  for (const scenario of scenarios) {
    test(`the API server in memory answers as a real one: ${theme}: ${scenario.name}`, {
      timeout: 10_000,
    }, async () => {
      assert.deepEqual(await Stage.play(new MemoryWorld(), scenario), transcripts.get(scenario.name));
    });
  }
  test(`every transcript has its scenario: ${theme}`, () => {
    assert.deepEqual(
      [...transcripts.keys()],
      scenarios.map(({ name }) => name),
    );
  });
}
