/** Routes that change the status of a job or a search, and delete it once it has ended. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { preconditionHeaders, toPrecondition } from '../conditional/preconditions.ts';
import { problems } from '../errors/problem.ts';
import { describeState } from '../responses/stored-state.ts';

type Precondition<T> = ((stored: T) => void) | undefined;

interface Lifecycle<T, C extends string> {
  /** The path of one, such as `/searches/:id`. */
  readonly url: string;
  /** In operation ids, such as `Search`. */
  readonly name: string;
  /** In errors, such as "search". */
  readonly what: string;
  readonly tags: readonly string[];
  readonly params: z.ZodType;
  readonly schema: z.ZodType<T>;
  readonly changes: readonly {
    readonly change: C;
    readonly summary: string;
    readonly description: string;
    /** Statuses of errors that the other changes do not have. */
    readonly errors?: readonly number[];
  }[];
  readonly change: (id: string, change: C, precondition: Precondition<T>) => Promise<T>;
  readonly deletion: { readonly summary: string; readonly description: string };
  readonly remove: (id: string, precondition: Precondition<T>) => Promise<void>;
}

export function registerLifecycle<T extends { readonly id: string }, C extends string>(
  app: FastifyInstance,
  { url, name, what, tags, params, schema, changes, change: apply, deletion, remove }: Lifecycle<T, C>,
): void {
  const shared = { tags, params, headers: preconditionHeaders };
  const errors = [400, 404, 409, 412, 413, 415, 507];

  for (const { change, summary, description, errors: further = [] } of changes) {
    app.route<{ Params: { id: string } }>({
      method: 'POST',
      url: `${url}/${change}`,
      // A resumed job is new work.
      config: { scope: 'train', sheddable: change === 'resume' },
      schema: {
        operationId: `${change}${name}`,
        summary,
        description,
        ...shared,
        response: { 202: schema, ...problems(...errors, ...further) },
      },
      async handler(request, reply) {
        const precondition = toPrecondition<T>(request, describeState(what));
        return reply.code(202).send(await apply(request.params.id, change, precondition));
      },
    });
  }

  app.route<{ Params: { id: string } }>({
    method: 'DELETE',
    url,
    config: { scope: 'admin' },
    schema: {
      operationId: `delete${name}`,
      ...deletion,
      ...shared,
      response: { 204: z.null().describe('Deleted'), ...problems(...errors) },
    },
    async handler(request, reply) {
      await remove(request.params.id, toPrecondition<T>(request, describeState(what)));
      return reply.code(204).send(null);
    },
  });
}
