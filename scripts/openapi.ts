/** Writes openapi/openapi.json from the route schemas; with --check, fails if it is out of date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { readConfig } from '../src/config/read.ts';
import { buildApp } from '../src/http/app.ts';
import type { Services } from '../src/http/services.ts';

const PATH = new URL('../openapi/openapi.json', import.meta.url);

// No request is made, so that no service is called.
const app = await buildApp({} as Services, readConfig({}));
await app.ready();
const document = `${JSON.stringify(await app.openapi(), null, 2)}\n`;
await app.close();

if (!process.argv.includes('--check')) {
  writeFileSync(PATH, document);
} else if (readFileSync(PATH, 'utf8') !== document) {
  console.error('openapi/openapi.json does not match the routes. Run `npm run openapi`.');
  process.exit(1);
}
