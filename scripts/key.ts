/** Makes a key, and its entry in API_KEYS: npm run -s key -- name scope… */
import { digestOf, formatApiKey, makeKey, parseApiKeys } from '../src/domain/api-key.ts';
import type { Scope } from '../src/domain/scope.ts';

const [name = 'me', ...scopes] = process.argv.slice(2);
const key = makeKey();
const entry = formatApiKey({
  name,
  scopes: scopes.length > 0 ? (scopes as Scope[]) : ['admin'],
  digest: digestOf(key),
});
try {
  parseApiKeys(entry);
  console.log(`${key}\nAPI_KEYS=${entry}`);
} catch (error) {
  console.error(`This is no key: the ${(error as Error).message.replace(/^entry 1/, 'entry')}.`);
  process.exit(1);
}
