/** What the form of the page is generated from: the schemas of openapi.json, and the recipes. */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

type Json = Readonly<Record<string, unknown>>;
interface ObjectSchema {
  readonly properties: Readonly<Record<string, Json>>;
}

/** Keywords that the form does not use. */
const DROPPED = ['additionalProperties', 'examples', 'pattern', 'propertyNames', 'maxLength', 'minLength'];

/** Returns constants of the bundle, by name, as source text. */
export function readForms(root: string): Record<string, string> {
  const { schemas } = JSON.parse(readFileSync(join(root, 'openapi/openapi.json'), 'utf8')).components;
  const simplify = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(simplify);
    if (typeof value !== 'object' || value === null) return value;
    const { $ref } = value as { readonly $ref?: string };
    if ($ref !== undefined) return simplify(schemas[$ref.slice($ref.lastIndexOf('/') + 1)]);
    // `properties` may have a property with the name of a keyword.
    const isNames = Object.values(value).every((each) => typeof each === 'object' && !Array.isArray(each));
    const kept = Object.entries(value).filter(([name]) => isNames || !DROPPED.includes(name));
    return Object.fromEntries(kept.map(([name, each]) => [name, simplify(each)]));
  };
  const training = simplify(schemas['TrainingRequest']) as ObjectSchema;
  const search = simplify(schemas['SearchRequest']) as ObjectSchema;
  const { vary, ...ofSearch } = search.properties;
  const searchOnly = Object.entries(ofSearch).filter(([name]) => !(name in training.properties));
  const recipes = globSync('examples/{recipes,searches}/*.json', { cwd: root })
    .sort()
    .map((file) => [basename(file, '.json'), JSON.parse(readFileSync(join(root, file), 'utf8'))]);
  return {
    TRAINING_SCHEMA: JSON.stringify(training),
    /** Options that only a search has, in the same form. */
    SEARCH_SCHEMA: JSON.stringify({ type: 'object', properties: Object.fromEntries(searchOnly) }),
    /** Names of the options of a training that a search also has. */
    SHARED_OPTIONS: JSON.stringify(Object.keys(ofSearch).filter((name) => name in training.properties)),
    RECIPES: JSON.stringify(Object.fromEntries(recipes)),
  };
}
