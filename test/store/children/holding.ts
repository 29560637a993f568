/** Opens a store, says so, and keeps it until it is killed or its stdin ends; then it leaves without closing. */
import { openStore } from '../../../src/store/store.ts';

await openStore(process.argv[2]!);
process.stdout.write('open\n');
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
