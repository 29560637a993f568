/** The table of docs/operations/api-keys.md: the scope of every documented operation. */
import type { OpenAPIV3_1 } from 'openapi-types';
import openapi from '../../openapi/openapi.json' with { type: 'json' };
import type { RouteScope } from '../../src/http/hooks/access/authentication.ts';
import { table } from './table.ts';

/** Order of the rows, and what each kind of scope means to the reader. */
const SCOPES: Readonly<Record<RouteScope, string>> = {
  open: 'none',
  docs: '`predict`, or none with `PUBLIC_DOCS`',
  metrics: '`predict`, or none with `PUBLIC_METRICS`',
  predict: '`predict`',
  train: '`train`',
  promote: '`promote`',
  admin: '`admin`',
};

type Operation = OpenAPIV3_1.OperationObject & { readonly 'x-required-scope': RouteScope };

export function scopes(): string {
  const order = Object.keys(SCOPES);
  const rows = Object.entries(openapi.paths)
    .flatMap(([path, item]) =>
      Object.entries(item as Record<string, Operation>).map(([method, operation]) => ({
        path,
        method: method.toUpperCase(),
        scope: operation['x-required-scope'],
        summary: operation.summary ?? '',
      })),
    )
    .sort((a, b) => order.indexOf(a.scope) - order.indexOf(b.scope))
    .map(({ scope, method, path, summary }) => [SCOPES[scope], `\`${method} ${path}\``, summary]);
  return table(['scope', 'operation', 'meaning'], rows);
}
