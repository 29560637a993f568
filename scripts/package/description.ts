/** The package.json of the package, from that of the checkout. */
import { z } from 'zod';

const versions = z.record(z.string(), z.string());

const checkoutSchema = z.object({
  name: z.string(),
  version: z.string(),
  description: z.string(),
  author: z.string(),
  license: z.string(),
  type: z.string(),
  bin: z.record(z.string(), z.string()),
  dependencies: versions,
  optionalDependencies: versions,
  repository: z.json().optional(),
});

/** Without scripts and development dependencies. Not private, so its owner can publish it. */
export function packageDescription(checkout: unknown) {
  return { ...checkoutSchema.parse(checkout), engines: { node: '>=24' } };
}
