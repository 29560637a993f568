/** Shell commands that send a request to the service at the address in the variable ATELIER. */
import { type Block, codeBlock } from '../blocks.ts';

interface CommandOptions {
  readonly method?: 'POST';
  /** Sent as JSON. */
  readonly body?: object;
  /** File for the response. */
  readonly output?: string;
}

/**
 * @param basePath prefix of the API's paths
 * @param path with its query; without characters that a shell interprets in double quotes
 */
export function writeCommand(
  basePath: string,
  path: string,
  { method, body, output }: CommandOptions = {},
): string {
  const parts = [
    'curl -sS --fail-with-body',
    ...(method ? [`-X ${method}`] : []),
    `"$ATELIER${basePath}${path}"`,
    ...(body ? [`-H 'content-type: application/json' -d ${quote(JSON.stringify(body))}`] : []),
    ...(output ? [`-o ${output}`] : []),
  ];
  return parts.join(' ');
}

/** One argument of a POSIX shell, whatever it contains. */
const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** Each block of commands sets the variable, so it can be copied alone. */
export const showCommands = (address: string, commands: readonly string[]): Block =>
  codeBlock('sh', `ATELIER=${address}`, ...commands);
