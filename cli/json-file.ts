/** Files that hold the body of a request. */
import { UsageError } from './errors.ts';

/** @throws UsageError if the text is not JSON */
export function parseJson(path: string, text: string): object {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${path} is not JSON: ${(error as Error).message}`);
  }
}
