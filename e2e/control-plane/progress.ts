import { Listr, ListrLogger, ProcessOutput } from 'listr2';
import { bar, formatElapsed } from './status-text.ts';

/** Says how far a step is; `share` (0–1) is shown as a bar in a terminal. */
export type Report = (text: string, share?: number) => void;

/** How the work on binaries is shown. */
export interface Progress {
  note: (line: string) => void;
  /** Shows `work` while it runs. That resolves to the reason when it came to nothing and another step has to do it. */
  step: (title: string, work: (report: Report) => Promise<string | undefined>) => Promise<void>;
}

const TERMINAL_EVERY_MS = 250;
const LOG_EVERY_MS = 15_000;

/** On standard error: bar and spinner in a terminal, otherwise plain lines, one every 15 s at most. */
export const standardErrorProgress: Progress = {
  note: (line) => void process.stderr.write(`${line}\n`),
  step: (title, work) => runListed(title, work, process.stderr.isTTY && process.stdout.isTTY),
};

async function runListed(
  title: string,
  work: (report: Report) => Promise<string | undefined>,
  inTerminal: boolean,
): Promise<void> {
  const began = performance.now();
  const elapsed = (): string => formatElapsed(performance.now() - began);
  let failure: unknown;
  const list = new Listr(
    {
      title,
      task: async (_, task) => {
        let status = '';
        const show = (): void => {
          task.output = status ? `${status}, ${elapsed()}` : elapsed();
        };
        const timer = setInterval(show, inTerminal ? TERMINAL_EVERY_MS : LOG_EVERY_MS);
        try {
          const without = await work((text, share) => {
            status = inTerminal && share !== undefined ? `${bar(share)} ${text}` : text;
          });
          // In a terminal the reason stands in the place of the title, in a log behind it.
          if (without !== undefined) task.skip(inTerminal ? `${title}: ${without}` : without);
          else task.title = `${title}: done in ${elapsed()}`;
        } catch (error) {
          failure = error;
          throw new Error(`not done after ${elapsed()}`, { cause: error });
        } finally {
          clearInterval(timer);
        }
      },
    },
    {
      ...(inTerminal
        ? { renderer: 'default', rendererOptions: { logger: onStandardError(), showErrorMessage: false } }
        : { renderer: 'simple', rendererOptions: { logger: onStandardError() } }),
      registerSignalListeners: false, // whoever calls decides what Ctrl-C means
    },
  );
  await list.run().catch((error: unknown) => {
    throw failure ?? error;
  });
}

const onStandardError = <Level extends string>(): ListrLogger<Level> =>
  new ListrLogger<Level>({
    useIcons: true,
    processOutput: new ProcessOutput(process.stderr, process.stderr),
  });
