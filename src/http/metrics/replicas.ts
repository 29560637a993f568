/** Metrics of the replicas that share a database, as this process sees them. */
import { Gauge, type Registry } from 'prom-client';

/** How changes of other replicas arrive; `local` without others. */
export const NOTICE_MODES = ['local', 'listening', 'polling'] as const;
export type NoticeMode = (typeof NOTICE_MODES)[number];

/** Without a source, this process is the only one. */
export interface ReplicaSource {
  readonly replicas?: (() => number) | undefined;
  readonly noticeMode?: (() => NoticeMode) | undefined;
}

export function measureReplicas(
  registry: Registry,
  { replicas = () => 1, noticeMode = () => 'local' }: ReplicaSource,
): void {
  const registers = [registry];
  new Gauge({
    name: 'atelier_replicas',
    help: 'Live replicas that share the database, including this one, as of the last time that it answered.',
    registers,
    collect() {
      this.set(replicas());
    },
  });
  new Gauge({
    name: 'atelier_notices',
    help: 'How this replica learns of changes by others: 1 for local (it is the only one), listening or polling.',
    labelNames: ['mode'],
    registers,
    collect() {
      for (const mode of NOTICE_MODES) this.set({ mode }, mode === noticeMode() ? 1 : 0);
    },
  });
}
