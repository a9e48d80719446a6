import { readFile } from 'node:fs/promises';

/** A reconcile of one object by one process, in ms of a clock that all processes of the machine share. */
interface Work {
  uid: string;
  pid: number;
  from: number;
  to: number;
}

interface Line {
  at: number;
  pid: number;
  event: string;
  uid?: string;
}

/** Pairs of processes that worked on one object at the same time, by the trace files of them all. */
export async function overlaps(files: readonly string[]): Promise<{ works: number; found: string[] }> {
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  const byUid = Map.groupBy(texts.flatMap(worksOf), ({ uid }) => uid);
  const found: string[] = [];
  let works = 0;
  for (const [uid, all] of byUid) {
    works += all.length;
    all.sort((a, b) => a.from - b.from);
    for (const [index, work] of all.entries()) {
      for (const next of all.slice(index + 1)) {
        if (next.from >= work.to) break;
        if (next.pid !== work.pid)
          found.push(`${uid}: ${work.pid} until ${work.to}, ${next.pid} from ${next.from}`);
      }
    }
  }
  return { works, found };
}

function worksOf(text: string): Work[] {
  const open = new Map<string, Line>();
  const works: Work[] = [];
  for (const json of text.split('\n')) {
    if (json === '') continue;
    const line: Line = JSON.parse(json);
    const id = `${line.pid}/${line.uid}`;
    if (line.event === 'reconcile-begin') open.set(id, line);
    const began = open.get(id);
    if (line.event !== 'reconcile-end' || began === undefined) continue;
    open.delete(id);
    works.push({ uid: line.uid ?? '', pid: line.pid, from: began.at, to: line.at });
  }
  return works;
}
