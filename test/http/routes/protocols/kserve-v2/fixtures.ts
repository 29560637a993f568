/** A trained model, test images, and what the service itself predicts for them. */
import type { FastifyInstance } from 'fastify';
import type { Predictions } from '../../../../../src/protocols/native/schema.ts';
import { type Scope, startService, testImage, tiny, train } from '../../../../support/start-service.ts';

export const TRAINING = { epochs: 1, batchSize: 64, validation: { fraction: 0.1 } };

export async function startTrained(scope: Scope, environment: Record<string, string> = {}) {
  const { app, close } = await startService(scope, environment);
  await train(app, tiny({ training: TRAINING }));
  const images = await Promise.all([0, 1, 2].map(async (n) => [...(await testImage(app, n))]));
  return { app, close, images, expected: await predictOwn(app, images) };
}

export async function predictOwn(
  app: FastifyInstance,
  images: readonly (readonly number[])[],
): Promise<{ label: number; className: string; probabilities: number[] }[]> {
  const response = await app.inject({
    method: 'POST',
    url: '/v1/models/fashion-mnist/predictions',
    payload: { images },
  });
  return response.json<Predictions>().predictions.map(({ label, className, probabilities }) => ({
    label,
    className,
    probabilities: probabilities!,
  }));
}
