/** The arguments of the routes: the services, their limits, and what several routes share. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Config } from '../../config/read.ts';
import type { SendCached } from '../conditional/prepared.ts';
import type { OnLimit } from '../hooks/connections/client.ts';
import type { CountStream } from '../hooks/connections/client-limits.ts';
import type { SlowClients } from '../hooks/connections/slow-clients.ts';
import type { WaitAsPreferred } from '../responses/preferred-wait.ts';
import type { Services } from '../services.ts';

export type RouteContext = Services &
  Pick<Config, 'maxBodyBytes' | 'maxDatasetBytes' | 'publicPage'> & {
    /** Whether pages of other origins, such as notebooks, may embed plots. */
    readonly isShared: boolean;
    readonly slowClients: SlowClients;
    readonly onLimit: OnLimit;
    readonly countStream: CountStream;
    readonly waitAsPreferred: WaitAsPreferred;
    /** Sends what depends on models only. */
    readonly sendCached: SendCached;
  };

/** Registers the routes of a subject. Its destructured second argument lists what they need. */
export type Routes = FastifyPluginAsyncZod<RouteContext>;
