/** Metrics of the replicas that share a database, as this process sees them. */
import { Gauge, type Registry } from 'prom-client';
import type { Store } from '../../store/persistent-state.ts';
import { gauge } from './instruments.ts';

type NoticeMode = ReturnType<Store['notices']['mode']>;
/** How changes of other replicas arrive; `local` without others. */
const NOTICE_MODES: readonly NoticeMode[] = ['local', 'listening', 'polling'];

/** Without a source, this process is the only one. */
export interface ReplicaSource {
  readonly replicas?: (() => number) | undefined;
  readonly noticeMode?: (() => NoticeMode) | undefined;
}

export function measureReplicas(
  registry: Registry,
  { replicas = () => 1, noticeMode = () => 'local' }: ReplicaSource,
): void {
  const help =
    'Live replicas that share the database, including this one, as of the last time that it answered.';
  gauge(registry, 'atelier_replicas', help, replicas);
  new Gauge({
    name: 'atelier_notices',
    help: 'How this replica learns of changes by others: 1 for local (it is the only one), listening or polling.',
    labelNames: ['mode'],
    registers: [registry],
    collect() {
      for (const mode of NOTICE_MODES) this.set({ mode }, mode === noticeMode() ? 1 : 0);
    },
  });
}
