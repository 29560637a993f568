/** Process: sends prepared requests at a fixed rate and prints their latencies in ms. Takes little of the processors it shares. */
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

interface Load {
  readonly port: number;
  readonly host: string;
  /** The request, as Latin-1. */
  readonly request: string;
  readonly perSecond: number;
  readonly seconds: number;
}

type Ask = () => Promise<number>;

const { port, host, request, perSecond, seconds } = JSON.parse(process.argv[2]!) as Load;
const bytes = Buffer.from(request, 'latin1');
const sockets: Socket[] = [];
/** Connections without a pending request. */
const idle: Ask[] = [];

/** Opens a connection with one pending request at a time. */
function open(): Ask {
  const socket = connect(port, host).setNoDelay().setEncoding('latin1');
  sockets.push(socket);
  let received = '';
  let pending: PromiseWithResolvers<number>;
  let startedAt: number;
  socket.on('error', (error) => pending.reject(error));
  socket.on('close', () => pending.reject(new Error('The connection was closed.')));
  socket.on('data', (chunk: string) => {
    received += chunk;
    const end = received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = /\r\ncontent-length: (\d+)/i.exec(received)?.[1];
    if (received.length < end + 4 + Number(length)) return;
    const status = received.slice(9, 12);
    if (status === '200' && length !== undefined) pending.resolve(performance.now() - startedAt);
    else pending.reject(new Error(`A request got ${received}`));
    received = '';
    idle.push(ask);
  });
  function ask(): Promise<number> {
    pending = Promise.withResolvers();
    // Awaited only after all requests have been sent.
    pending.promise.catch(() => {});
    startedAt = performance.now();
    socket.write(bytes);
    return pending.promise;
  }
  return ask;
}

const count = perSecond * seconds;
const latencies: Promise<number>[] = [];
const startedAt = performance.now();
while (latencies.length < count) {
  const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond) + 1;
  while (latencies.length < Math.min(due, count)) latencies.push((idle.pop() ?? open())());
  await wait(1);
}
console.log(JSON.stringify(await Promise.all(latencies)));
for (const socket of sockets) socket.destroy();
