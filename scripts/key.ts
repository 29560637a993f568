/** Creates an API key and its entry for API_KEYS: npm run -s key -- name scope… --expires 2027-01-31 */
import { parseArgs } from 'node:util';
import type { Scope } from '../src/domain/api-key.ts';
import {
  daysUntilExpiry,
  formatApiKey,
  generateKey,
  parseApiKeys,
  sha256Bytes,
} from '../src/domain/api-key.ts';

const USAGE =
  'Usage: npm run -s key -- name scope… --expires 2027-01-31, where all but the name are optional.';

function readArguments() {
  try {
    return parseArgs({ allowPositionals: true, options: { expires: { type: 'string' } } });
  } catch {
    return fail(USAGE);
  }
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

const { values, positionals } = readArguments();
const [name = 'me', ...scopes] = positionals;
const secret = generateKey();
const key = {
  name,
  scopes: scopes.length > 0 ? (scopes as Scope[]) : (['admin'] as const),
  digest: sha256Bytes(secret),
  ...(values.expires !== undefined && { lastDay: values.expires }),
};
const entry = formatApiKey(key);
try {
  parseApiKeys(entry);
} catch (error) {
  fail(`The key is not valid: the ${(error as Error).message.replace(/^entry 1/, 'entry')}.`);
}
if (daysUntilExpiry(key, Date.now()) <= 0) fail(`--expires must be today or later, but is ${key.lastDay}.`);
console.log(`${secret}\nAPI_KEYS=${entry}`);
