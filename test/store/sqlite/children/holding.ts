/** Child process: holds a store open until killed or until stdin ends. */
import { openStore } from '../../../../src/store/sqlite/open.ts';

await openStore(process.argv[2]!);
process.stdout.write('open\n');
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
