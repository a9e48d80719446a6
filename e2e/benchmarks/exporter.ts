import type { Benchmark } from './benchmark.ts';
import type { ExporterInput, ExporterResult } from './exporter-side.ts';
import { measure } from './measure.ts';

/** The webhosting-exporter's page, read over HTTP. */
export const exporter: Benchmark = {
  name: 'exporter',
  purpose: 'a scrape of all Websites: how long it holds up the event loop',
  objects: 50_000,
  bounds: [
    { figure: 'longest stall', atMost: 20 },
    { figure: 'samples of a Website', atLeast: 8 },
  ],
  async run({ objects, signal, progress }) {
    progress(`${objects} Websites, scraped by two at once`);
    const side = new URL('./exporter-side.ts', import.meta.url);
    const input: ExporterInput = { websites: objects };
    const measured = await measure<ExporterResult>(side, input, signal);
    const { result, stallMs, wallStallMs, idleWallStallMs } = measured;
    return {
      'longest stall': { value: stallMs, unit: 'ms' },
      'longest stall on the clock': { value: wallStallMs, unit: 'ms' },
      'idle process meanwhile': { value: idleWallStallMs, unit: 'ms' },
      'the slower scrape': { value: result.scrapeMs, unit: 'ms' },
      text: { value: result.textBytes / 2 ** 20, unit: 'MB' },
      'samples of a Website': { value: result.samples / objects, unit: '' },
    };
  },
};
