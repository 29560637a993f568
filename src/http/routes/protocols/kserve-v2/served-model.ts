/** Models in the paths of KServe v2: `name`, or `name:image` for the same model described as an image classifier. */
import type { VersionName } from '../../../../domain/models/reference.ts';
import { IMAGE_SUFFIX } from '../../../../protocols/kserve-v2/schema.ts';
import { readModelName } from '../named-model.ts';

/** @throws AtelierError `model-not-found` */
export function readServedModel(path: { name: string; version?: string }): {
  name: string;
  version?: VersionName;
  asImage: boolean;
} {
  const asImage = path.name.endsWith(IMAGE_SUFFIX);
  const name = asImage ? path.name.slice(0, -IMAGE_SUFFIX.length) : path.name;
  return { ...readModelName({ ...path, name }), asImage };
}
