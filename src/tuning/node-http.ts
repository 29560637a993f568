/**
 * Node's HTTP module. `import` of `node:http` reads all of its exports, and so loads the WebSocket client, which nothing
 * uses: 14 MiB and 27 ms.
 */
export const { createServer, IncomingMessage, ServerResponse, STATUS_CODES } =
  process.getBuiltinModule('node:http');
