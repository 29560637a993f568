/** A Prometheus server on its own address that scrapes the service every second. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Scope, temporaryDirectory } from '../start-service.ts';
import { LOOPBACK, startServer } from './start-server.ts';

const ADDRESS = `${LOOPBACK}:19090`;

const isInstalled = ['prometheus', 'promtool'].every(
  (program) => spawnSync(program, ['--version']).status === 0,
);
/** The `skip` option of tests that need Prometheus: the reason if it is not installed. With CI=true they fail instead. */
export const withoutPrometheus =
  !isInstalled && process.env['CI'] !== 'true' ? 'Install Prometheus: .ci/install-prometheus' : false;

/** Runs `promtool check metrics`, which writes nothing if all is well. */
export function checkMetrics(text: string): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
}

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

/** @returns a function that evaluates an expression; it throws for one that Prometheus rejects */
export async function startPrometheus(
  t: Scope,
  target: string,
): Promise<(query: string) => Promise<Sample[]>> {
  const folder = await temporaryDirectory(t);
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: [{ job_name: 'atelier', static_configs: [{ targets: [new URL(target).host] }] }],
  };
  // JSON is YAML.
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config));
  const options = ['prometheus.yml', 'data', ADDRESS].map(
    (value, n) => `--${['config.file', 'storage.tsdb.path', 'web.listen-address'][n]}=${value}`,
  );
  await startServer(t, ['prometheus', ...options], folder, `http://${ADDRESS}/-/ready`, ({ ok }) => ok);
  return async (query) => {
    const response = await fetch(`http://${ADDRESS}/api/v1/query?${new URLSearchParams({ query })}`);
    const body = (await response.json()) as { status: string; error?: string; data: { result: Sample[] } };
    assert.equal(body.status, 'success', `${query}: ${body.error}`);
    return body.data.result;
  };
}
