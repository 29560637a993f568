/** /v1/gradient-checks: check a gradient against finite differences. */
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { gradientCheckRequestSchema, gradientCheckSchema } from '../../../domain/checks/gradient.ts';
import { registerGradientForms } from '../../bodies/gradient-form.ts';
import { problems } from '../../errors/problem.ts';
import { reserveBodyMemory } from '../../hooks/overload/body-memory.ts';
import { limitLargeBodies } from '../../hooks/overload/large-bodies.ts';
import { binaryContent, gradientCheckContent } from '../../openapi/request-content.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import { EVENT_STREAM_TYPE } from '../../responses/events/reconnect-stream.ts';
import { streamEvents } from '../../responses/events/server-sent.ts';
import { negotiate } from '../../responses/negotiate.ts';
import type { Routes } from '../context.ts';

const querystring = z.strictObject({
  vector: z
    .enum(['analytic', 'numeric', 'parameters'])
    .default('analytic')
    .describe('The gradient that an npy response holds, or the parameters of the network'),
});

export const gradientCheckRoutes: Routes = async (app, context) => {
  const { gradients, health, countStream, maxBodyBytes, memory, slowClients, onLimit } = context;
  limitLargeBodies(app, slowClients, onLimit);
  reserveBodyMemory(app, memory, maxBodyBytes);
  const readFile = registerGradientForms(app, maxBodyBytes);
  app.route({
    method: 'POST',
    url: '/gradient-checks',
    config: { scope: 'predict' },
    schema: {
      operationId: 'checkGradient',
      summary: 'Check the gradient of a network against finite differences',
      description:
        'Responds within seconds. Networks of at most 10,000,000 parameters; a sample of the coordinates is checked if all ' +
        'would take longer. `Accept: text/event-stream` allows a check of up to an hour, such as all coordinates of a network with ' +
        'convolutions, and streams its progress: each second an event of type `progress`, whose `data` has `done` and `coordinates`, ' +
        'and at the end one of type `result`, whose `data` is the report, or `error`, whose `data` has `code` and `message`. The check ends ' +
        'when the client disconnects, and at shutdown without a result. `Accept: application/x-npy` returns the packed float64 gradient itself, W1, b1, W2, b2, …, of ' +
        'at most 1,000,000 parameters, with NaN for coordinates outside the sample. A body of at most 1 MiB. ' +
        'A form has this JSON as `request`, and as `gradient` a file of at most `MAX_BODY_BYTES` with your own gradient of the mean ' +
        'cross-entropy at the same parameters: `submitted` compares it with the gradient of the reference, and names mistakes that explain a difference.',
      tags: ['gradients'],
      querystring,
      readsDataset: true,
      body: gradientCheckRequestSchema,
      requestContent: gradientCheckContent,
      response: {
        200: {
          description: 'The report, or the vector',
          content: {
            'application/json': { schema: gradientCheckSchema },
            // Sent unchanged: the schema only documents the stream.
            [EVENT_STREAM_TYPE]: { schema: z.string() as unknown as z.ZodType<Readable> },
            'application/x-npy': binaryContent,
          },
        },
        ...problems(400, 406, 413, 415, 422, 503),
      },
    },
    async handler(request, reply) {
      const type = negotiate(request, reply, ['application/json', 'application/x-npy', EVENT_STREAM_TYPE]);
      if (type === EVENT_STREAM_TYPE) {
        const warn = (err: unknown) => request.log.warn({ err }, 'a gradient check failed');
        const events = await gradients.follow(request.body, warn, readFile(request));
        countStream(reply);
        reply.countAsStream('events');
        const { stopping } = health;
        // Not `reply.send`: an async handler that returns the reply adds two listeners to the response, and then has too many.
        return streamEvents(reply, events, { stopping, revoked: request.revoked });
      }
      const output = type === 'application/json' ? 'report' : request.query.vector;
      const { report, npy } = await gradients.check(
        request.body,
        output,
        disconnectSignal(reply),
        readFile(request),
      );
      return npy === null ? reply.send(report) : reply.type(type).send(Buffer.from(npy));
    },
  });
};
