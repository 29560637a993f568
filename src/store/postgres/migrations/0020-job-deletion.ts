/** Migration 20, PostgreSQL only: notices of deleted jobs. */
import { type Kysely, sql } from 'kysely';

/**
 * A deleted job counts as a change of the models, whose subject is its id, because its checkpoints are used like models;
 * and its followers are notified as of an event.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function record_deleted_job() returns trigger language plpgsql as $$
    declare
      counted bigint;
    begin
      perform pg_notify('atelier', 'event ' || old.id);
      update atelier.changes set number = number + 1, made_by = pg_current_xact_id(), made_to = old.id
      where kind = 'models' returning number into counted;
      perform pg_notify('atelier', 'models ' || counted || ' ' || old.id);
      return null;
    end $$`.execute(db);
  // Deferred, so the counter is locked last and briefly.
  await sql`
    create constraint trigger record_deleted_job after delete on jobs
    deferrable initially deferred for each row execute function record_deleted_job()`.execute(db);
}
