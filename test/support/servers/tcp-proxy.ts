/** A TCP proxy for tests: it can hold back or delay packets, or cut connections. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { addCleanup, type Scope } from '../start-service.ts';

export interface TcpProxy {
  /** `url` with the address of the proxy in place of its host and port. */
  through(url: string): string;
  /**
   * Forwards nothing from now on, neither bytes nor the end of a connection, as a network that loses all packets: both
   * sides keep a connection that is silent. A new connection is accepted, and just as silent.
   */
  drop(): void;
  /** Forwards again, first what was held back, as TCP does by sending lost packets again. */
  heal(): void;
  /** Closes all connections. New ones are forwarded. */
  cut(): void;
  /** Forwards each packet this many milliseconds late. */
  delay(ms: number): void;
  /** Number of open connections. */
  readonly connections: number;
}

/** @param target an address with host and port, such as that of a database */
export async function startTcpProxy(scope: Scope, target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let open = Promise.withResolvers<void>();
  open.resolve();
  let delayMs = 0;

  async function forward(from: Socket, to: Socket): Promise<void> {
    try {
      for await (const bytes of from) {
        await open.promise;
        if (delayMs > 0) await wait(delayMs);
        if (!to.write(bytes)) await Promise.race([once(to, 'drain'), once(to, 'close')]);
      }
      await open.promise;
      to.end();
    } catch {
      await open.promise;
      to.destroy();
    }
  }

  function track(socket: Socket): void {
    sockets.add(socket);
    socket.setNoDelay();
    socket.on('error', () => {}); // `forward` closes the other side
    socket.on('close', () => sockets.delete(socket));
  }

  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    for (const socket of [client, upstream]) track(socket);
    void forward(client, upstream);
    void forward(upstream, client);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;

  function cut(): void {
    // A reset of a socket that is shutting down fails and leaves a handle, with which Node cannot exit.
    for (const socket of sockets) socket.destroy();
  }
  addCleanup(scope, async () => {
    open.resolve();
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });

  return {
    through(url) {
      const changed = new URL(url);
      changed.host = `127.0.0.1:${address.port}`;
      return String(changed);
    },
    drop() {
      open = Promise.withResolvers();
    },
    heal: () => open.resolve(),
    cut,
    delay(ms) {
      delayMs = ms;
    },
    get connections() {
      return sockets.size / 2;
    },
  };
}
