/** `npm run pack [-- FOLDER]`: writes atelier-<version>.tgz, the package behind `npx atelier`, into FOLDER or here. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { writePackage } from './package/archive.ts';

const file = await writePackage(resolve(process.argv[2] ?? '.'));
console.log(`${file}: ${(statSync(file).size / 2 ** 20).toFixed(2)} MiB`);
