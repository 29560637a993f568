/** The table of docs/reference/configuration.md, from the schema of the environment. */
import { z } from 'zod';
import { DEFAULT_POOL_SIZE, environmentSchema } from '../../src/config/environment.ts';
import { TECHNIQUES } from '../../src/tuning/switches.ts';
import { table } from './table.ts';

type Name = keyof typeof environmentSchema.shape;

/** Defaults that the schema does not state, or that depend on the machine. */
const DEFAULTS: Partial<Record<Name, string>> = {
  TRAINING_WORKERS: 'cores − 1, at least 1',
  API_KEYS: 'none',
  BASE_PATH: 'none',
  API_KEYS_FILE: 'none',
  CORS_ORIGINS: 'none',
  WEBHOOK_ORIGINS: 'none',
  WEBHOOK_PRIVATE_RANGES: 'none',
  ALLOWED_HOSTS: 'none',
  TRUST_PROXY: 'none',
  TUNING_OFF: 'none',
  PUBLIC_METRICS: '`true` on loopback without keys',
  PUBLIC_DOCS: '`true` on loopback without keys',
  RATE_LIMIT_PER_MINUTE: 'off',
  KEEP_EVENTS_DAYS: 'never',
  KEEP_CHECKPOINTS_DAYS: 'never',
  KEEP_JOBS_DAYS: 'never',
  DATABASE_URL: 'none',
  DATABASE_DIRECT_URL: '`DATABASE_URL`',
  POOL_SIZE: `\`${DEFAULT_POOL_SIZE}\``,
  BLOB_URL: 'none: the database',
  AWS_ACCESS_KEY_ID: 'none',
  AWS_SECRET_ACCESS_KEY: 'none',
  AWS_SESSION_TOKEN: 'none',
};

/** Allowed values that the schema states as a pattern. */
const ALLOWED: Partial<Record<Name, string>> = {
  ACCESS_LOG: '`all`, `errors`, `off`, `sample:` and a fraction',
  TUNING_OFF: TECHNIQUES.map((name) => `\`${name}\``).join(', '),
};

function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional)
    return unwrap(schema.unwrap() as z.ZodType);
  return schema;
}

function allowed(schema: z.ZodType): string {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodNumber) return `${inner.minValue} to ${inner.maxValue}`;
  if (inner instanceof z.ZodEnum) return inner.options.map((option) => `\`${option}\``).join(', ');
  return 'text';
}

function describeDefault(name: Name, schema: z.ZodType): string {
  const stated = DEFAULTS[name];
  if (stated !== undefined) return stated;
  if (!(schema instanceof z.ZodDefault)) throw new Error(`DEFAULTS must state the default of ${name}.`);
  return `\`${schema.def.defaultValue}\``;
}

export function configuration(): string {
  const rows = Object.entries(environmentSchema.shape).map(([name, schema]) => [
    `\`${name}\``,
    describeDefault(name as Name, schema),
    ALLOWED[name as Name] ?? allowed(schema),
    schema.description ?? unwrap(schema).description ?? '',
  ]);
  return table(['variable', 'default', 'allowed', 'meaning'], rows);
}
