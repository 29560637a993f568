/** Migration 26 on PostgreSQL: searches, and notices of their events. */
import { type Kysely, sql } from 'kysely';
import * as portable from '../../migrations/0026-searches.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await portable.up(db);
  await sql`
    create function notify_search_event() returns trigger language plpgsql as $$
    begin
      perform pg_notify('atelier', 'event ' || new.search_id);
      return null;
    end $$`.execute(db);
  await sql`
    create trigger notify_search_event after insert on search_events
    for each row execute function notify_search_event()`.execute(db);
}
