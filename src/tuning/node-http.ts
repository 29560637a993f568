/**
 * Node's HTTP module. `import` of `node:http` reads all of its exports, and so loads the unused WebSocket client: 14 MiB
 * and 27 ms.
 */
import { isOn } from './switches.ts';

export const { createServer, IncomingMessage, ServerResponse, STATUS_CODES } =
  process.getBuiltinModule('node:http');

/** Loads what an import would load, if the technique is switched off. */
export async function importHttp(): Promise<void> {
  if (!isOn('node-http')) await import('node:http');
}
