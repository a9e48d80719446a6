import type { ReadStream, WriteStream } from 'node:tty';
import { createLogUpdate } from 'log-update';
import { type Action, actionsOf } from './keys.ts';
import type { Canvas } from './styled.ts';

/** The user's terminal: shows a picture, and tells which keys are pressed. */
export class Terminal {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  readonly #show: ReturnType<typeof createLogUpdate>;
  readonly #onAction: (action: Action) => void;
  #open = true;

  /** Takes over the terminal until it is closed, or the process ends. */
  constructor(input: ReadStream, output: WriteStream, onAction: (action: Action) => void) {
    this.#input = input;
    this.#output = output;
    this.#onAction = onAction;
    this.#show = createLogUpdate(output);
    input.setRawMode(true);
    input.setEncoding('utf8');
    input.on('data', this.#onData);
    input.resume();
    process.once('exit', this.close);
  }

  get canvas(): Canvas {
    const { columns, rows } = this.#output;
    // A terminal that doesn't know its size says 0.
    return { columns: columns || 80, rows: rows || 24, color: this.#output.hasColors() };
  }

  draw(picture: string): void {
    if (this.#open) this.#show(picture);
  }

  /** Leaves the last picture, and the terminal as it was. */
  readonly close = (): void => {
    if (!this.#open) return;
    this.#open = false;
    process.off('exit', this.close);
    this.#input.off('data', this.#onData);
    this.#input.pause();
    this.#input.setRawMode(false);
    this.#show.done();
  };

  readonly #onData = (data: string | Buffer): void => {
    for (const action of actionsOf(String(data))) this.#onAction(action);
  };
}
