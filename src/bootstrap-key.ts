/** Bootstrap API key: generated on the first start of a reachable service without keys. */
import { existsSync } from 'node:fs';
import type { FastifyBaseLogger } from 'fastify';
import type { Config } from './config.ts';
import { type ApiKey, generateKey, sha256Bytes } from './domain/api-key.ts';
import { AtelierError } from './errors.ts';
import { readBootstrapKey, saveBootstrapKey } from './store/bootstrap-key.ts';
import { type Lock, lockDirectory } from './store/sqlite/lock.ts';

const RESET_ADVICE =
  'generate another one with npm run key -- --reset and restart, or set API_KEYS or API_KEYS_FILE.';

/**
 * Returns the stored key, or generates one, which is printed once and cannot be shown again. The caller must hold the
 * lock of the state directory.
 * @throws AtelierError `state-unusable`
 */
export async function bootstrapKey(
  { stateDir, port }: Pick<Config, 'stateDir' | 'port'>,
  log: FastifyBaseLogger,
): Promise<ApiKey> {
  const kept = await readBootstrapKey(stateDir);
  if (kept) {
    log.info(`Requests need the key that the first start printed. If it is lost, ${RESET_ADVICE}`);
    return kept;
  }
  const { secret, key } = createKey();
  // Printed instead of logged, because logs are often collected. Printed before its hash is stored, because a stored
  // key that was never shown would lock everyone out.
  process.stderr.write(`
Other machines can reach this service, so requests need an API key. This key permits everything and is shown only now:

  ${secret}

  curl -s http://localhost:${port}/v1/models -H 'authorization: Bearer ${secret}'

If you lose it, ${RESET_ADVICE}

`);
  await saveBootstrapKey(stateDir, key);
  return key;
}

/**
 * Replaces the stored key. A running service reads it only when it starts.
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
  // Held while the file is written, so that a service that starts meanwhile does not write it, too.
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
    if (error instanceof AtelierError && error.code === 'state-locked') return undefined;
    throw error;
  }
}

function createKey(): { secret: string; key: ApiKey } {
  const secret = generateKey();
  return { secret, key: { name: 'first', scopes: ['admin'], digest: sha256Bytes(secret) } };
}
