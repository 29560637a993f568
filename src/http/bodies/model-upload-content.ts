/** The form of an import. It is read by our own code; this is how the contract shows it. */
import { z } from 'zod';
import { importRequestSchema } from '../../domain/model-import.ts';

const { properties, required = [] } = z.toJSONSchema(importRequestSchema, { io: 'input' });

export const modelUploadContent = {
  'multipart/form-data': {
    schema: {
      type: 'object',
      required: [...required, 'file'],
      properties: {
        ...properties,
        file: {
          type: 'string',
          format: 'binary',
          description: '.npz, safetensors, or .npy of the packed vector; the file itself says which',
        },
      },
      additionalProperties: false,
      examples: [{ name: 'mine', file: '(the bytes of sklearn.npz)', activation: 'relu' }],
    },
  },
};
