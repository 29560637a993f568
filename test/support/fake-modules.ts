/** Imports of a module with others in the place of the modules that it imports. */
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

/** What is exported instead, by the ends of the names of the modules. */
export interface Fakes {
  readonly [file: string]: Readonly<Record<string, (...args: never[]) => unknown>>;
}

const FAKES = 'fakes of modules';
const all: Fakes[] = [];
Object.assign(globalThis, { [FAKES]: all });

/**
 * Imports a new instance of the module. Only its own imports are replaced, not those of the modules that it imports.
 * @param run called with the module while its dynamic imports are replaced, too
 */
export async function withFakes<Module, Result>(
  path: string,
  fakes: Fakes,
  run: (module: Module) => Result | Promise<Result>,
): Promise<Result> {
  const number = all.push(fakes) - 1;
  const entry = `${pathToFileURL(path)}?fakes=${number}`;
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const file = Object.keys(fakes).find((name) => specifier.endsWith(`/${name}`));
      if (context.parentURL !== entry || file === undefined) return next(specifier, context);
      const names = Object.keys(fakes[file]!).join(', ');
      const source = `export const { ${names} } = globalThis['${FAKES}'][${number}]['${file}'];`;
      return { url: `data:text/javascript,${encodeURIComponent(source)}`, shortCircuit: true };
    },
  });
  try {
    return await run((await import(entry)) as Module);
  } finally {
    hooks.deregister();
  }
}
