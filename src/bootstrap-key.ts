/** Bootstrap API key: generated on first start if the service is reachable and no keys are configured. */
import type { FastifyBaseLogger } from 'fastify';
import type { Config } from './config.ts';
import { type ApiKey, generateKey, sha256Bytes } from './domain/api-key.ts';
import { bootstrapKeyFile, readBootstrapKey, saveBootstrapKey } from './store/bootstrap-key.ts';

/**
 * The stored key, or a new one that is printed once and cannot be shown again. The caller holds the state directory.
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
  // Not to the log, which is often collected; and before the hash is stored, since a key that was never shown would lock
  // everyone out.
  process.stderr.write(`
Other machines can reach this service, so that it asks for a key. This one may do everything, and is shown only now:

  ${secret}

  curl -s http://localhost:${port || '<port>'}/v1/models -H 'authorization: Bearer ${secret}'

For another one delete ${bootstrapKeyFile(stateDir)} and start again, or set API_KEYS.

`);
  await saveBootstrapKey(stateDir, key);
  return key;
}
