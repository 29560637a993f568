/** Generators of damaged and hostile request bodies. */
import fc from 'fast-check';

/** JSON values, some of them unusual. */
export const value = fc.oneof(
  { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<unknown>(0, -1, 0.5, 1e308, -0, '', 'fashion-mnist', null, [], {}, true),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
);

/** A valid body in which some fields, at any depth, are replaced, removed or added. */
export function mutated(valid: object): fc.Arbitrary<object> {
  const paths = pathsOf(valid);
  const change = fc.record({
    path: fc.constantFrom(...paths),
    action: fc.constantFrom('replace', 'remove', 'add'),
    name: fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', 'a/b~c')),
    value,
  });
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    const body = structuredClone(valid);
    for (const { path, action, name, value: put } of changes) {
      let target = body as Record<string, unknown>;
      for (const key of path.slice(0, -1)) target = isObject(target[key]) ? target[key] : {};
      const key = action === 'add' ? name : path.at(-1)!;
      // The length of an array is not a field in JSON.
      if (Array.isArray(target) && key === 'length') continue;
      if (action === 'remove') delete target[key];
      else
        Object.defineProperty(target, key, {
          value: put,
          enumerable: true,
          configurable: true,
          writable: true,
        });
    }
    return body;
  });
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

function pathsOf(body: unknown, path: string[] = []): string[][] {
  if (typeof body !== 'object' || body === null) return [path];
  const inside = Object.entries(body).flatMap(([key, inner]) => pathsOf(inner, [...path, key]));
  return path.length === 0 ? inside : [path, ...inside];
}

/** The bytes of a valid body, changed or truncated, or arbitrary bytes. */
export function damaged(valid: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(valid.length - 1), fc.nat(255));
  const changed = fc.array(change, { maxLength: 8 }).map((changes) => {
    const bytes = Uint8Array.from(valid);
    for (const [at, byte] of changes) bytes[at] = byte;
    return bytes;
  });
  const cut = fc.tuple(changed, fc.nat(valid.length)).map(([bytes, length]) => bytes.subarray(0, length));
  return fc.oneof(changed, cut, fc.uint8Array({ maxLength: 1000 }));
}
