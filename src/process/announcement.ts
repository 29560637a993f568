/** The first line of a service for its users: where it is, and what to try first. */
import type { Config } from '../config/read.ts';

/** @param address without the base path */
export function announcement(
  address: string,
  config: Pick<Config, 'basePath' | 'role' | 'publicPage' | 'publicDocs' | 'requiresKey'>,
): string {
  const served = address + config.basePath;
  if (config.role === 'worker') return `Atelier serves ${served}, as a worker only /health and /metrics.`;
  const base = served.replace(/\/\/(0\.0\.0\.0|\[::\])/, '//localhost');
  const page = config.publicPage ? `the page at ${base}/, ` : '';
  const docs = `documentation at ${base}/docs${config.requiresKey && !config.publicDocs ? ', with a key' : ''}`;
  const header = config.requiresKey ? " -H 'authorization: Bearer <key>'" : '';
  return `Atelier serves ${served}, ${page}${docs}. Try: curl -s ${base}/v1/training-jobs${header}`;
}
