import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Entry } from './transcript.ts';

const fileOf = (theme: string): string => join(import.meta.dirname, 'transcripts', `${theme}.jsonl`);

interface Heading {
  scenario: string;
}

/** The transcripts that a real API server gave, by the names of a theme's scenarios. */
export async function readTranscripts(theme: string): Promise<Map<string, Entry[]>> {
  const transcripts = new Map<string, Entry[]>();
  let current: Entry[] = [];
  const lines = (await readFile(fileOf(theme), 'utf8')).split('\n');
  for (const line of lines.filter((text) => text !== '')) {
    const parsed: Entry | Heading = JSON.parse(line);
    if ('did' in parsed) current.push(parsed);
    else transcripts.set(parsed.scenario, (current = []));
  }
  return transcripts;
}

/** One line for each answer, so that a change is seen as what it is. */
export async function writeTranscripts(theme: string, transcripts: Map<string, Entry[]>): Promise<void> {
  const lines = [...transcripts].flatMap(([scenario, entries]) => [{ scenario }, ...entries]);
  await writeFile(fileOf(theme), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}
