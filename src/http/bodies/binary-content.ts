/** Bodies of bytes in the contract. */
import { z } from 'zod';

/** Sent as it is: Fastify serialises no Buffer, so that the schema only documents, and types what a route sends. */
const binarySchema = z.string().meta({ format: 'binary' }) as unknown as z.ZodType<Buffer>;

export const binaryContent = { schema: binarySchema };
