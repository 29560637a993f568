/** The model of an MLflow request that names none. */
import { FASHION_MNIST } from '../../../datasets/fashion-mnist.ts';
import { AtelierError, hasCode } from '../../../errors.ts';
import type { ModelService } from '../../../services/models/catalog.ts';

type Models = Pick<ModelService, 'list' | 'get' | 'revision'>;

/**
 * Finds the only model, or the one of the data set among several. The result is kept until a model changes, and while
 * the database is away, so that predictions do not depend on it.
 * @returns a function that throws AtelierError `model-not-found` without models, or if no model can be chosen
 */
export function createDefaultModel(models: Models): () => Promise<string> {
  let known: { readonly name: string; readonly revision: number } | undefined;
  return async () => {
    const revision = models.revision();
    if (known?.revision === revision) return known.name;
    try {
      const name = await findDefault(models);
      known = { name, revision };
      return name;
    } catch (error) {
      if (known && hasCode(error, 'storage-unavailable')) return known.name;
      throw error;
    }
  };
}

async function findDefault(models: Models): Promise<string> {
  const { data: some } = await models.list({ limit: 2 });
  if (some.length === 1) return some[0]!.name;
  try {
    return (await models.get(FASHION_MNIST)).name;
  } catch (error) {
    if (some.length === 0 || !hasCode(error, 'model-not-found')) throw error;
    const detail = 'Choose one, as in ?model=name.';
    throw new AtelierError(
      'model-not-found',
      `There are several models, and none is called ${FASHION_MNIST}. ${detail}`,
      { details: [{ parameter: 'model', detail }] },
    );
  }
}
