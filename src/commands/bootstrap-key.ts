/** Bootstrap API key: generated on the first start of a reachable service without keys. */
import { existsSync } from 'node:fs';
import type { FastifyBaseLogger } from 'fastify';
import type { Config, DatabaseConfig } from '../config/read.ts';
import { type ApiKey, generateKey, sha256Bytes } from '../domain/api-key.ts';
import { AtelierError, hasCode } from '../errors.ts';
import { type BootstrapKeys, saveBootstrapKey } from '../store/bootstrap-key.ts';
import { type Lock, lockDirectory } from '../store/sqlite/lock.ts';

const RESET_ADVICE =
  'generate another one with npx atelier key --reset (without DATABASE_URL, restart then), or set API_KEYS or API_KEYS_FILE.';

/**
 * Returns the stored key, or generates one. A new key is printed once and cannot be shown again.
 * @throws AtelierError `state-unusable`, `storage-unavailable`
 */
export async function bootstrapKey(
  keys: BootstrapKeys,
  { port }: Pick<Config, 'port'>,
  log: FastifyBaseLogger,
): Promise<ApiKey> {
  const { secret, key } = createKey();
  const stored = (await keys.read()) ?? (await keys.create(key, () => print(secret, port)));
  if (stored !== key) {
    log.info(`Requests need the key that the first start printed. If it is lost, ${RESET_ADVICE}`);
  }
  return stored;
}

/** Printed instead of logged, because logs are often collected. */
function print(secret: string, port: number): void {
  process.stderr.write(`
Other machines can reach this service, so requests need an API key. This key permits everything and is shown only now:

  ${secret}

  curl -s http://localhost:${port}/v1/models -H 'authorization: Bearer ${secret}'

If you lose it, ${RESET_ADVICE}

`);
}

/**
 * Replaces the key that replicas share; those that run use it at once.
 * @throws AtelierError `storage-unavailable`
 */
export async function resetSharedBootstrapKey({ url }: DatabaseConfig): Promise<string> {
  const { createSharedBootstrapKey } = await import('../store/postgres/bootstrap-key.ts');
  const { connectPostgres } = await import('../store/postgres/connect.ts');
  const { secret, key } = createKey();
  const db = await connectPostgres({ url, poolSize: 1 });
  try {
    await createSharedBootstrapKey(db).save(key);
  } finally {
    await db.destroy();
  }
  return secret;
}

/**
 * Replaces the key in a state directory. A running service reads it only when it starts.
 * @returns the key, and whether a process uses the state directory
 * @throws AtelierError `state-unusable`
 */
export async function resetBootstrapKey(stateDir: string): Promise<{ secret: string; isInUse: boolean }> {
  if (!existsSync(stateDir)) {
    throw new AtelierError(
      'state-unusable',
      `The state directory ${stateDir} does not exist. Set STATE_DIR to the directory of the service.`,
    );
  }
  const { secret, key } = createKey();
  // Held while the file is written, so that a service that is starting does not also write it.
  const lock = lockIfUnused(stateDir);
  try {
    await saveBootstrapKey(stateDir, key);
  } finally {
    lock?.release();
  }
  return { secret, isInUse: lock === undefined };
}

function lockIfUnused(stateDir: string): Lock | undefined {
  try {
    return lockDirectory(stateDir);
  } catch (error) {
    if (hasCode(error, 'state-locked')) return undefined;
    throw error;
  }
}

function createKey(): { secret: string; key: ApiKey } {
  const secret = generateKey();
  return { secret, key: { name: 'first', scopes: ['admin'], digest: sha256Bytes(secret) } };
}
