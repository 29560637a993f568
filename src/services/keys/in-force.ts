/** API keys in force: from API_KEYS and from API_KEYS_FILE. The file is read again when it changes. */
import { type ApiKey, daysUntilExpiry, formatApiKey } from '../../domain/api-key.ts';
import type { JobLogger } from '../events/log.ts';
import { parseApiKeysFile, readApiKeysFile } from './file.ts';

/** Interval at which the file and the date are checked. */
export const API_KEYS_POLL_MS = 1000;
/** From this many days before the expiry of a key on, the log warns of it daily. */
export const EXPIRY_WARNING_DAYS = 14;

export interface KeyInForce {
  readonly key: ApiKey;
  /** Aborts when the entry of the key is removed or changed, and when the key expires. */
  readonly revoked: AbortSignal;
}

interface RevocableKey extends KeyInForce {
  readonly revocation: AbortController;
}

export type ApiKeyService = Awaited<ReturnType<typeof createApiKeyService>>;

/**
 * The file is read every second and compared instead of watched: that notices rewritten files, renames and the
 * exchanged symbolic links of Kubernetes on every file system.
 * @param options.configured keys of API_KEYS
 * @param options.file path of API_KEYS_FILE
 * @throws AtelierError `invalid-configuration` naming the line of the file that has an error
 */
export async function createApiKeyService({
  configured,
  file,
  log,
}: {
  configured: readonly ApiKey[];
  file: string | null;
  log: JobLogger;
}) {
  /** By entry, so that a changed entry counts as another key. */
  let inForce: ReadonlyMap<string, RevocableKey> = new Map();
  let fixed = configured;
  let fromFile: readonly ApiKey[] = [];
  /** The text of the file, or the reason why it could not be read. */
  let lastRead = '';
  let checked = Promise.resolve();
  let day = utcDay();
  let timer: NodeJS.Timeout | undefined;

  /** Puts the keys into force, revokes those that are gone or expired, and warns of their expiry. */
  function use(): void {
    const before = inForce;
    inForce = new Map([...fixed, ...fromFile].map((key) => [formatApiKey(key), toRevocable(key)]));
    for (const [entry, { revocation }] of before) {
      if (inForce.get(entry)?.revocation !== revocation) revocation.abort();
    }
    for (const { key, revocation } of inForce.values()) {
      const daysLeft = daysUntilExpiry(key, Date.now());
      if (daysLeft <= 0) revocation.abort();
      if (daysLeft <= EXPIRY_WARNING_DAYS) log.warn({ key: key.name }, describeExpiry(key, daysLeft));
    }
  }

  function toRevocable(key: ApiKey): RevocableKey {
    const known = inForce.get(formatApiKey(key));
    if (known && !known.revoked.aborted) return known;
    const revocation = new AbortController();
    return { key, revocation, revoked: revocation.signal };
  }

  async function check(file: string, isRequested: boolean): Promise<void> {
    const read: string | Error = await readApiKeysFile(file).catch((error) => error);
    const text = read instanceof Error ? read.message : read;
    if (text === lastRead && !isRequested) return;
    lastRead = text;
    try {
      if (read instanceof Error) throw read;
      fromFile = parseApiKeysFile(file, text, fixed);
    } catch (error) {
      log.error({}, `${(error as Error).message} The API keys in force stay.`);
      return;
    }
    const before = inForce;
    use();
    const changes = { added: namesOfNew(inForce, before), removed: namesOfNew(before, inForce) };
    log.info(changes, `API_KEYS_FILE was read again; ${inForce.size} API keys are in force`);
  }

  /** Checks run one after the other, so that an older text never replaces a newer one. */
  function reload(isRequested: boolean): Promise<void> {
    if (file !== null) checked = checked.then(() => check(file, isRequested));
    return checked;
  }

  if (file !== null) {
    lastRead = await readApiKeysFile(file);
    fromFile = parseApiKeysFile(file, lastRead, configured);
  }
  use();

  return {
    /** Expired keys are included, so that their owners can be informed. */
    keys: () => inForce.values(),
    /** Adds the bootstrap key to the configured keys, or replaces it. */
    useBootstrapKey(key: ApiKey) {
      fixed = [...configured, key];
      use();
    },
    /** Reads the file again. If it has an error, the keys in force stay, and the error is logged. */
    reload: () => reload(true),
    /** Reads the file again whenever it changes, until `close`. */
    watch() {
      timer = setInterval(() => {
        void reload(false);
        if (day === utcDay()) return;
        day = utcDay();
        use();
      }, API_KEYS_POLL_MS).unref();
    },
    close: () => clearInterval(timer),
  };
}

const utcDay = () => new Date().toISOString().slice(0, 10);

function namesOfNew(
  keys: ReadonlyMap<string, KeyInForce>,
  others: ReadonlyMap<string, KeyInForce>,
): string[] {
  return Array.from(keys).flatMap(([entry, { key }]) => (others.has(entry) ? [] : [key.name]));
}

function describeExpiry({ name, lastDay }: ApiKey, daysLeft: number): string {
  return daysLeft <= 0
    ? `The API key ${name} has expired: its last day was ${lastDay}. Remove its entry, or replace it by a new key.`
    : `The API key ${name} expires soon: its last day is ${lastDay} (UTC). Replace it by a new key.`;
}
