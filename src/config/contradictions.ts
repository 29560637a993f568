/** Rules about several environment variables: who may use the service, and settings that contradict each other. */
import type { z } from 'zod';
import type { Environment } from './environment.ts';
import { isLoopback } from './network-settings.ts';

/** Whether the operator configured keys. A file of keys counts even if it is empty: access is closed then. */
export function configuresKeys(env: Environment): boolean {
  return env.API_KEYS.length > 0 || env.API_KEYS_FILE !== undefined;
}

/** Whether access without a key is allowed. */
export function allowsAnonymous(env: Environment): boolean {
  return !configuresKeys(env) && (isLoopback(env.HOST) || env.ALLOW_ANONYMOUS === 'true');
}

export function rejectContradictions(env: Environment, context: z.RefinementCtx): void {
  const reject = (name: keyof Environment, message: string) =>
    context.addIssue({ code: 'custom', path: [name], message });
  if (env.ALLOW_ANONYMOUS === 'true' && configuresKeys(env)) {
    reject(
      'ALLOW_ANONYMOUS',
      'contradicts API_KEYS and API_KEYS_FILE: they require a key. Unset one of them',
    );
  }
  for (const name of ['PUBLIC_METRICS', 'PUBLIC_DOCS'] as const) {
    if (env[name] === 'false' && allowsAnonymous(env)) {
      reject(name, 'has no effect without keys. Set API_KEYS, or unset the variable');
    }
  }
  rejectWithoutDatabase(env, reject);
  if (env.REUSE_PORT === 'on' && env.PORT === 0) {
    reject('REUSE_PORT', 'contradicts PORT=0: it gives each process its own port. Set PORT');
  }
  if (env.BLOB_URL !== undefined && !(env.AWS_ACCESS_KEY_ID && env.AWS_SECRET_ACCESS_KEY)) {
    reject('BLOB_URL', 'needs credentials. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
  }
}

function rejectWithoutDatabase(env: Environment, reject: (name: keyof Environment, message: string) => void) {
  if (env.DATABASE_URL !== undefined) return;
  const given = {
    DATABASE_DIRECT_URL: env.DATABASE_DIRECT_URL !== undefined,
    POOL_SIZE: env.POOL_SIZE !== undefined,
    ROLE: env.ROLE !== 'all',
    REUSE_PORT: env.REUSE_PORT === 'on',
    BLOB_URL: env.BLOB_URL !== undefined,
  };
  for (const [name, isGiven] of Object.entries(given)) {
    if (isGiven) {
      reject(
        name as keyof typeof given,
        'needs a database that replicas share. Set DATABASE_URL, or unset the variable',
      );
    }
  }
}
