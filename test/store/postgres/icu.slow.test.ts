/** Runs the tests of the store on PostgreSQL, in databases that order text by the rules of English unless a column says otherwise. */
import { runOnPostgres } from '../store-test.ts';

await runOnPostgres('icu');
