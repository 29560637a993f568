/** JavaScript from TypeScript: types become spaces, so lines and columns of errors are those of the sources. */
import { stripTypeScriptTypes } from 'node:module';

/** A relative path to a source in quotes, as in an import, `new URL('./x.ts', …)` or a shell script. */
const PATH = /(?<=(['"])(?:\.\.?|\$cli)\/[^'"\s]*)\.ts(?=\1)/g;

/** Replaces the ending of paths to sources by that of JavaScript. */
export const replaceEndings = (text: string) => text.replaceAll(PATH, '.js');

/** @throws SyntaxError for syntax that is more than types, such as an enum */
export const toJavaScript = (source: string) => replaceEndings(stripTypeScriptTypes(source));
