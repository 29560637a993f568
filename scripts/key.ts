/** Creates an API key and its entry for API_KEYS, or replaces the bootstrap key: see USAGE. */
import { parseArgs } from 'node:util';
import { resetBootstrapKey, resetSharedBootstrapKey } from '../src/commands/bootstrap-key.ts';
import { fail } from '../src/commands/command-line.ts';
import { readConfig } from '../src/config/read.ts';
import type { Scope } from '../src/domain/api-key.ts';
import {
  daysUntilExpiry,
  formatApiKey,
  generateKey,
  parseApiKeys,
  sha256Bytes,
} from '../src/domain/api-key.ts';

const USAGE = `Usage:
  npx atelier key name scope… --expires 2027-01-31   creates a key and its entry; all but the name are optional
  npx atelier key --reset                            replaces the bootstrap key of the service in STATE_DIR or DATABASE_URL`;

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        expires: { type: 'string' },
        reset: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit();
    }
    if (values.reset && (positionals.length > 0 || values.expires !== undefined)) return fail(USAGE);
    return { ...values, positionals };
  } catch {
    return fail(USAGE);
  }
}

function createKey([name = 'me', ...scopes]: string[], lastDay: string | undefined): void {
  const secret = generateKey();
  const key = {
    name,
    scopes: scopes.length > 0 ? (scopes as Scope[]) : (['admin'] as const),
    digest: sha256Bytes(secret),
    ...(lastDay !== undefined && { lastDay }),
  };
  const entry = formatApiKey(key);
  try {
    parseApiKeys(entry);
  } catch (error) {
    fail(`The key is not valid: the ${(error as Error).message.replace(/^entry 1/, 'entry')}.`);
  }
  if (daysUntilExpiry(key, Date.now()) <= 0) fail(`--expires must be today or later, but is ${lastDay}.`);
  console.log(`${secret}\nAPI_KEYS=${entry}`);
}

async function resetKey(): Promise<void> {
  const { stateDir, database } = readConfig();
  if (database !== null) {
    console.log(await resetSharedBootstrapKey(database));
    console.error('This key replaces the bootstrap key of all replicas and is shown only now.');
    return;
  }
  const { secret, isInUse } = await resetBootstrapKey(stateDir);
  console.log(secret);
  const since = isInUse
    ? 'Restart the service. It accepts the previous key until then.'
    : 'Start the service.';
  console.error(`This key replaces the bootstrap key of ${stateDir} and is shown only now. ${since}`);
}

const { reset, expires, positionals } = readArguments();
if (reset) await resetKey().catch((error: Error) => fail(error.message));
else createKey(positionals, expires);
