/** The HTTP application of all services. It does not listen yet. */
import type { FastifyInstance } from 'fastify';
import { type AppHost, buildApp } from '../../http/app.ts';
import type { Services } from '../../http/services.ts';
import { createEventSubscriptions, createSearchSubscriptions } from '../../services/events/subscribe.ts';
import { createWaitForEnd } from '../../services/events/wait-for-end.ts';
import type { Base } from './base.ts';

type Added =
  | 'catalog'
  | 'memory'
  | 'metrics'
  | 'subscribeEvents'
  | 'subscribeSearchEvents'
  | 'waitForEnd'
  | 'rateLeases';

export function buildHttp(
  base: Base,
  services: Omit<Services, Added>,
  host: Omit<AppHost, 'logger'>,
): Promise<FastifyInstance> {
  const { config, log, store, cluster, catalog, memory, metrics } = base;
  const leases = store.rateLeases;
  const added: Pick<Services, Added> = {
    catalog,
    memory,
    metrics,
    subscribeEvents: createEventSubscriptions(store),
    subscribeSearchEvents: createSearchSubscriptions(store),
    waitForEnd: createWaitForEnd(store),
    ...(leases && cluster && { rateLeases: { leases, replicas: () => cluster.replicas.live().length } }),
  };
  return buildApp({ ...services, ...added }, config, { ...host, logger: log });
}
