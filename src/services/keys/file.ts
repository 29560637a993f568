/** The file of API_KEYS_FILE: reading and parsing, with errors that name the line. */
import { readFile, stat } from 'node:fs/promises';
import { type ApiKey, parseApiKeyLines } from '../../domain/api-key.ts';
import { AtelierError } from '../../errors.ts';
import { errorMessage } from '../../store/blobs/directory.ts';

export const MAX_API_KEYS_FILE_BYTES = 2 ** 20;

/** @throws AtelierError `invalid-configuration` if the file cannot be read, or is too large */
export async function readApiKeysFile(file: string): Promise<string> {
  try {
    const found = await stat(file);
    if (!found.isFile()) throw new Error('it is not a file');
    if (found.size > MAX_API_KEYS_FILE_BYTES) {
      throw new Error(`it has ${found.size} bytes, but at most ${MAX_API_KEYS_FILE_BYTES} are allowed`);
    }
    return await readFile(file, 'utf8');
  } catch (error) {
    throw invalid(file, `cannot be read: ${errorMessage(error)}`, error);
  }
}

/**
 * @param configured keys of API_KEYS; the file must not repeat them
 * @throws AtelierError `invalid-configuration` if an entry is invalid, or no key is configured at all
 */
export function parseApiKeysFile(file: string, text: string, configured: readonly ApiKey[]): ApiKey[] {
  let keys: ApiKey[];
  try {
    keys = parseApiKeyLines(text, configured);
  } catch (error) {
    throw invalid(file, `is invalid: ${errorMessage(error)}`, error);
  }
  if (keys.length + configured.length === 0) {
    throw invalid(file, 'contains no key. Add an entry; npx atelier key makes one');
  }
  return keys;
}

function invalid(file: string, problem: string, cause?: unknown): AtelierError {
  return new AtelierError('invalid-configuration', `API_KEYS_FILE=${file} ${problem}.`, { cause });
}
