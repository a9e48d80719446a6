import { mapConcurrently } from './concurrently.ts';
import { readTranscripts, writeTranscripts } from './golden.ts';
import { RealWorld } from './real-world.ts';
import { Stage } from './stage.ts';
import { suite } from './suite.ts';
import type { Entry } from './transcript.ts';

/** Writes the transcripts anew, as a real API server gives them: `node e2e/conformance/record.ts [theme…]`. */
const themes = process.argv.slice(2);
let failures = 0;
await using world = await RealWorld.start();
for (const [theme, scenarios] of Object.entries(suite)) {
  if (themes.length > 0 && !themes.includes(theme)) continue;
  const known = await readTranscripts(theme).catch(() => new Map<string, Entry[]>());
  const played = await mapConcurrently(scenarios, 6, async (scenario): Promise<[string, Entry[]]> => {
    try {
      return [scenario.name, await Stage.play(world, scenario)];
    } catch (error) {
      failures += 1;
      process.stderr.write(
        `${theme}: ${scenario.name}: ${error instanceof Error ? error.message : String(error)}\n`,
      );
      return [scenario.name, known.get(scenario.name) ?? []];
    }
  });
  await writeTranscripts(theme, new Map(played));
}
process.exitCode = failures > 0 ? 1 : 0;
