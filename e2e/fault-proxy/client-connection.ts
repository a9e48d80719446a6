import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** A client's connection to the proxy. */
export class ClientConnection {
  readonly closed: Promise<unknown>;
  readonly #socket: Socket;
  #tls: TLSSocket | undefined;

  /** `socket`: below TLS. */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.once('close', resolve);
    });
  }

  /** The handshake is over. */
  secured(tls: TLSSocket): void {
    this.#tls = tls;
  }

  /** Ends it in good order, below TLS. */
  end(): void {
    this.#socket.end();
  }

  /**
   * Breaks it off. One that is being shut down, as the client has ended it, refuses a reset with EINVAL and then never
   * closes: it is closed in the usual way, and so is one within its handshake, of which nobody can tell.
   */
  reset(): void {
    if (!this.#tls || this.#tls.writableEnded || this.#socket.writableEnded) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }
}
