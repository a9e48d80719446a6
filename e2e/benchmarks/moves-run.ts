import type { Transport } from '@controller-sharding/shared/kube/transport.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import type { RunningProcess } from '../harness/processes.ts';
import { waitFor } from '../harness/wait-for.ts';
import { writesCountedBy } from './api-server-writes.ts';
import type { BenchmarkContext } from './benchmark.ts';
import type { Kind, Move } from './moves-kinds.ts';
import { told } from './moves-kinds.ts';
import { childResource, ownerResource } from './moves-objects.ts';
import type { MovesObserver } from './moves-observer.ts';
import { type RawSide, restMs } from './moves-raw-side.ts';
import type { MovesShards } from './moves-shards.ts';
import { cpuMsOf } from './process-figures.ts';

export interface Parts {
  transport: Transport;
  shards: MovesShards;
  observer: MovesObserver;
  raw: RawSide;
  sharder: RunningProcess;
  /** How often the sharder looks at everything. */
  checkMs: number;
}

/** A move has ended when everything has arrived and nothing was written for so long. */
const quietMs = 1_500;

/** The moves, and at once each of them again by a client that only patches. */
export class MovesRun {
  readonly #parts: Parts;
  readonly #context: BenchmarkContext;

  constructor(parts: Parts, context: BenchmarkContext) {
    this.#parts = parts;
    this.#context = context;
  }

  async all(): Promise<Move[]> {
    const { pairs, signal } = this.#context;
    await clock.sleep(this.#parts.checkMs, signal);
    const all: Move[] = [];
    for (let pair = 0; pair < pairs; pair += 1) {
      for (const kind of ['stop', 'kill'] as const) {
        // A join has its pair only once; the other makes what can be killed.
        all.push(await this.#join(kind === 'stop'), await this.#leave(kind));
      }
    }
    return all;
  }

  async #join(withRaw: boolean): Promise<Move> {
    const { shards, observer } = this.#parts;
    let name = '';
    const begin = async (): Promise<void> => {
      name = await shards.start();
    };
    const hasArrived = (): boolean => observer.draining === 0 && observer.loadOf(name) > 0;
    const move = await this.#move('join', begin, hasArrived, withRaw);
    const share = this.#context.objects / shards.names.length;
    if (observer.loadOf(name) < Math.min(share * 0.9, share - Math.sqrt(share))) {
      throw new Error(`only ${observer.loadOf(name)} owners were moved to the shard that joined`);
    }
    return move;
  }

  async #leave(kind: 'stop' | 'kill'): Promise<Move> {
    const { shards, observer } = this.#parts;
    const name = shards.names.at(-1) ?? '';
    const begin = (): Promise<void> => shards.end(name, kind === 'stop' ? 'SIGTERM' : 'SIGKILL');
    return this.#move(kind, begin, () => observer.loadOf(name) === 0, true);
  }

  async #move(
    kind: Kind,
    begin: () => Promise<void>,
    hasArrived: () => boolean,
    withRaw: boolean,
  ): Promise<Move> {
    const { observer, raw, sharder, shards, checkMs } = this.#parts;
    const { signal, progress } = this.#context;
    await clock.sleep(restMs, signal);
    const requests = await this.#requests();
    const cpuMs = await cpuMsOf(sharder.pid ?? 0);
    observer.begin();
    await begin();
    const hasEnded = (): boolean => hasArrived() && clock.monotonic() - observer.lastAt > quietMs;
    await waitFor('everything to arrive', hasEnded, { timeoutMs: 120_000, everyMs: 100, signal });
    const observed = observer.observed;
    const sharderCpuMs = (await cpuMsOf(sharder.pid ?? 0)) - cpuMs;
    await clock.sleep(checkMs + quietMs, signal);
    const move: Move = {
      ...observed,
      kind,
      requests: (await this.#requests()) - requests,
      lateWrites: observer.observed.writes - observed.writes,
      sharderCpuMs,
      raw: undefined,
    };
    if (withRaw) move.raw = await raw.repeat(observed, (shard) => !shards.names.includes(shard));
    progress(told(move));
    return move;
  }

  #requests(): Promise<number> {
    return writesCountedBy(this.#parts.transport, [ownerResource, childResource]);
  }
}
