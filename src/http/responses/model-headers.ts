/** Headers that name the version which computed a response: npy and binary bodies cannot. */
import type { FastifyReply } from 'fastify';
import type { VersionReference } from '../../domain/models/reference.ts';

export const MODEL_HEADERS = ['X-Model-Name', 'X-Model-Version'] as const;

/** @param model for a checkpoint, the id of its job and its step, as in JSON */
export function sendModelHeaders(reply: FastifyReply, { name, version }: VersionReference): void {
  reply.header('x-model-name', name).header('x-model-version', version);
}
