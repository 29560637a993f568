/** Replicas of the service: processes with a directory and a port on one database. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { startTcpProxy, type TcpProxy } from './servers/tcp-proxy.ts';
import { type Process, serviceAddress, startProcess } from './start-process.ts';
import { type Scope, temporaryDirectory } from './start-service.ts';

export interface Replica {
  /** The address of the running process. */
  readonly base: string;
  /** The name of its connections in PostgreSQL: another one for each process. */
  readonly name: string;
  readonly process: Process;
  /** Between the replica and the database. */
  readonly proxy: TcpProxy;
  /** Sends SIGKILL, and waits until the process has ended. */
  kill(): Promise<void>;
  /** Sends SIGTERM, and waits until the process has ended with code 0. */
  terminate(): Promise<void>;
  /** Sends SIGSTOP: the process keeps its connections and does nothing. */
  freeze(): void;
  /** Sends SIGCONT. */
  thaw(): void;
  /** Starts another process with the same state directory, and waits until it serves. */
  restart(): Promise<void>;
}

export interface Cluster {
  readonly replicas: readonly Replica[];
  /** Starts one more replica, and waits until it serves. */
  add(environment?: Record<string, string>): Promise<Replica>;
  /** The replica whose connections have this name; undefined if that process has ended. */
  find(name: string): Replica | undefined;
}

/**
 * Starts the replicas one after the other, like a deployment that waits until each is ready.
 * @param url the database, which the replicas reach through a proxy each
 * @throws AssertionError with the output of a replica that ends before it serves
 */
export async function startCluster(
  scope: Scope,
  url: string,
  replicas: number,
  environment: Record<string, string> = {},
): Promise<Cluster> {
  const started: Replica[] = [];
  const directory = await temporaryDirectory(scope);
  const cluster: Cluster = {
    replicas: started,
    async add(more = {}) {
      const name = `replica-${started.length + 1}`;
      const settings = { ...environment, ...more };
      const replica = await prepareReplica(scope, url, join(directory, name), name, settings);
      started.push(replica);
      await replica.restart();
      return replica;
    },
    find: (name) =>
      started.find(({ name: current, process: { child } }) => current === name && child.signalCode === null),
  };
  for (let n = 0; n < replicas; n++) await cluster.add();
  return cluster;
}

/** A replica without a process: `restart` starts the first one. */
export async function prepareReplica(
  scope: Scope,
  url: string,
  stateDir: string,
  name: string,
  environment: Record<string, string>,
): Promise<Replica> {
  const proxy = await startTcpProxy(scope, url);
  let generation = 0;
  let service: Process | undefined;
  let base: string | undefined;
  const currentName = () => `${name}.${generation}`;

  function running(): Process {
    assert.ok(service, `${name} has not been started`);
    return service;
  }

  return {
    proxy,
    get base() {
      assert.ok(base !== undefined, `${name} does not serve`);
      return base;
    },
    get name() {
      return currentName();
    },
    get process() {
      return running();
    },
    async kill() {
      base = undefined;
      running().child.kill('SIGKILL');
      await running().exited;
    },
    async terminate() {
      base = undefined;
      running().child.kill('SIGTERM');
      assert.deepEqual(await running().exited, [0, null], running().output());
    },
    freeze: () => void running().child.kill('SIGSTOP'),
    thaw: () => void running().child.kill('SIGCONT'),
    async restart() {
      generation += 1;
      const through = new URL(proxy.through(url));
      through.searchParams.set('application_name', currentName());
      // A killed process writes no coverage, and collecting it would take a third of the time.
      const settings = { NODE_V8_COVERAGE: '', ...environment, DATABASE_URL: String(through) };
      service = startProcess(scope, stateDir, settings);
      base = await serviceAddress(service);
    },
  };
}
