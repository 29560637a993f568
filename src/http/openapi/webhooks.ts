/** The webhooks of the OpenAPI document: requests that the service sends. */
import type { OpenAPIV3_1 } from 'openapi-types';
import { webhookMessageSchema } from '../../domain/jobs/webhook-message.ts';

const MESSAGE = `#/components/schemas/${webhookMessageSchema.meta()!.id}`;

const header = (name: string, description: string): OpenAPIV3_1.ParameterObject => ({
  name,
  in: 'header',
  required: true,
  description,
  schema: { type: 'string' },
});

export const WEBHOOKS: NonNullable<OpenAPIV3_1.Document['webhooks']> = {
  trainingJobEnded: {
    post: {
      operationId: 'trainingJobEnded',
      summary: 'A training job with `notify` has ended, or was paused by the service',
      description:
        'Sent to `notify.url`, at least once, and signed as in Standard Webhooks. A response other than 2xx is a failure, after ' +
        'which the message is sent again for about a day.',
      tags: ['training'],
      security: [],
      parameters: [
        header('webhook-id', 'Id of the message, the same for every attempt'),
        header('webhook-timestamp', 'Time of the attempt, in seconds since the Unix epoch'),
        header(
          'webhook-signature',
          '`v1,` and the HMAC-SHA256, in base64, of id, timestamp and body, joined by dots',
        ),
      ],
      requestBody: { required: true, content: { 'application/json': { schema: { $ref: MESSAGE } } } },
      responses: {
        '200': { description: 'Accepted, as with every 2xx' },
        '410': { description: 'Not accepted, and not to be sent again' },
      },
    },
  },
};
