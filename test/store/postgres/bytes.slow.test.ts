/** Runs the tests of the store on PostgreSQL, in databases that order text by bytes. */
import { runOnPostgres } from '../store-test.ts';

await runOnPostgres('C');
