import type { Job } from '../job.ts';
import { openPoints } from '../observer/converged.ts';
import { leaderName, machineMs } from '../observer/events.ts';
import { seconds } from '../observer/rules/rule.ts';
import { RuleBrokenError } from '../script/errors.ts';
import { violationLine } from '../script/report.ts';
import { act } from './controls.ts';
import { frame, type Note } from './frame.ts';
import type { Action } from './keys.ts';
import { Terminal } from './terminal.ts';

const redrawMs = 150;
const keepNotes = 20;
/** The sharder levels when shards come, go or change, not for these. */
const notLevelled: ReadonlySet<Action> = new Set(['create', 'pin', 'unpin']);

export interface LiveOptions {
  secrets: number;
  replicas: number;
}

/**
 * Shows the ring and does what the keys ask for, until the user quits or the signal is aborted. Throws RuleBrokenError
 * at the end when a rule was broken meanwhile.
 */
export async function runLive(job: Job, options: LiveOptions, signal: AbortSignal): Promise<void> {
  const quit = new AbortController();
  const ended = job.watched(AbortSignal.any([signal, quit.signal]));
  const live = new Live(job, ended);
  const terminal = new Terminal(process.stdin, process.stdout, (action) => {
    if (action === 'quit') quit.abort();
    else live.perform(action);
  });
  try {
    live.begin(options);
    while (!ended.aborted) {
      live.look();
      terminal.draw(frame(live.state(), terminal.canvas));
      await job.clock.sleep(redrawMs, ended).catch(() => undefined);
    }
    // Quitting is no failure; anything else is.
    if (!quit.signal.aborted) ended.throwIfAborted();
    live.note('stopping …');
    terminal.draw(frame(live.state(), terminal.canvas));
  } finally {
    quit.abort();
    terminal.close();
    await live.settled();
  }
  const { violationCount, violations } = job.observer.checker;
  for (const violation of violations) process.stdout.write(`${violationLine(violation)}\n`);
  if (violationCount > 0) throw new RuleBrokenError(violationCount);
}

/** What goes on between the keys and the picture. */
class Live {
  readonly #job: Job;
  readonly #signal: AbortSignal;
  readonly #underWay = new Set<Promise<void>>();
  #notes: Note[] = [];
  /** When the ring's rest was last disturbed, and whether its membership changed; undefined while it rests. */
  #disturbed: { at: number; level: boolean } | undefined;
  #leader = '';

  constructor(job: Job, signal: AbortSignal) {
    this.#job = job;
    this.#signal = signal;
  }

  begin({ secrets, replicas }: LiveOptions): void {
    const { fleet } = this.#job;
    this.#disturb(false);
    this.#run(async () => {
      for (let i = 0; i < replicas; i++) await fleet.addReplica();
      await this.#job.untilLive(replicas, this.#signal);
      await this.#job.createSecrets(secrets, 20, this.#signal);
      return `${secrets} Secrets were created`;
    });
  }

  perform(action: Exclude<Action, 'quit'>): void {
    const work = (): Promise<string> => act(this.#job, action, this.#signal);
    // Without its leader, the ring rests all the same.
    if (action !== 'kill-leader') this.#disturb(!notLevelled.has(action));
    this.#run(work);
  }

  note(text: string): void {
    this.#notes = [...this.#notes, { at: this.#job.clock.now(), text }].slice(-keepNotes);
  }

  /** Notes what has come about by itself since the last look. */
  look(): void {
    const { leader } = this.#job.observer.world;
    if (leader !== '' && leader !== this.#leader) {
      this.#leader = leader;
      this.note(`${leaderName(leader)} leads`);
    }
    this.#lookForRest();
  }

  #lookForRest(): void {
    if (this.#disturbed === undefined || this.#underWay.size > 0) return;
    const { at, level } = this.#disturbed;
    const { observer, secrets } = this.#job;
    if (openPoints(observer.world.summary(), { secrets, level }).length > 0) return;
    this.note(`at rest again after ${seconds(machineMs() - at)}`);
    this.#disturbed = undefined;
  }

  state(): Parameters<typeof frame>[0] {
    const { surroundings, observer, fleet } = this.#job;
    const { checker, world } = observer;
    return {
      url: surroundings.url,
      kubeconfig: surroundings.kubeconfig,
      summary: world.summary(),
      now: machineMs(),
      reconciles: checker.checked.reconciles,
      writes: checker.checked.writes,
      violations: checker.violations,
      violationCount: checker.violationCount,
      notes: this.#notes,
      restarts: fleet.restarts,
    };
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  #disturb(level: boolean): void {
    const { at = machineMs(), level: before = false } = this.#disturbed ?? {};
    this.#disturbed = { at, level: level || before };
  }

  #run(work: () => Promise<string>): void {
    const running = work()
      .then((text) => this.note(text))
      .catch((error: unknown) => {
        if (!this.#signal.aborted) this.note(error instanceof Error ? error.message : String(error));
      })
      .finally(() => this.#underWay.delete(running));
    this.#underWay.add(running);
  }
}
