/** Bootstrap API key: generated on the first start of a reachable service without keys. */
import type { FastifyBaseLogger } from 'fastify';
import type { Config } from './config.ts';
import { type ApiKey, generateKey, sha256Bytes } from './domain/api-key.ts';
import { bootstrapKeyFile, readBootstrapKey, saveBootstrapKey } from './store/bootstrap-key.ts';

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
    log.info(
      `Requests need the key that the first start printed. If it is lost, delete ${bootstrapKeyFile(stateDir)} and restart ` +
        'to generate a new one, or set API_KEYS.',
    );
    return kept;
  }
  const secret = generateKey();
  const key: ApiKey = { name: 'first', scopes: ['admin'], digest: sha256Bytes(secret) };
  // Printed instead of logged, because logs are often collected. Printed before its hash is stored, because a stored
  // key that was never shown would lock everyone out.
  process.stderr.write(`
Other machines can reach this service, so requests need an API key. This key permits everything and is shown only now:

  ${secret}

  curl -s http://localhost:${port || '<port>'}/v1/models -H 'authorization: Bearer ${secret}'

To generate another key, delete ${bootstrapKeyFile(stateDir)} and restart, or set API_KEYS.

`);
  await saveBootstrapKey(stateDir, key);
  return key;
}
