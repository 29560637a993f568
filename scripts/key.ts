/** Creates an API key and its entry for API_KEYS: npm run -s key -- name scope… */

import type { Scope } from '../src/domain/api-key.ts';
import { formatApiKey, generateKey, parseApiKeys, sha256Bytes } from '../src/domain/api-key.ts';

const [name = 'me', ...scopes] = process.argv.slice(2);
const key = generateKey();
const entry = formatApiKey({
  name,
  scopes: scopes.length > 0 ? (scopes as Scope[]) : ['admin'],
  digest: sha256Bytes(key),
});
try {
  parseApiKeys(entry);
  console.log(`${key}\nAPI_KEYS=${entry}`);
} catch (error) {
  console.error(`The key is not valid: the ${(error as Error).message.replace(/^entry 1/, 'entry')}.`);
  process.exit(1);
}
