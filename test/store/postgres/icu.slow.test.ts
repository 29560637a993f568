/** The tests of the store on PostgreSQL, in databases that order text like English. */
import { runOnPostgres } from '../store-test.ts';

await runOnPostgres('icu');
