/** After a training: which version of its model is served, and how the new one compares with it. */
import type { ModelComparison } from '../../src/domain/checks/evaluation.ts';
import type { Model, ModelVersion } from '../../src/domain/models/representation.ts';
import type { Client } from '../client.ts';
import { modelPath, servedVersion } from '../references.ts';
import { formatFigure } from '../text.ts';

const VERDICTS = {
  better: 'is better',
  worse: 'is worse',
  'no-difference': 'does not differ by more than chance',
} as const;

/** @returns a sentence or more; null if the service does not respond, because the training is not affected */
export async function describeServed(
  client: Client,
  { name, version }: Pick<ModelVersion, 'name' | 'version'>,
): Promise<string | null> {
  const read = async <T>(path: string) => (await (await client.attempt(path)).json()) as T;
  try {
    const served = servedVersion(await read<Model>(modelPath(name)));
    if (served === version) return `Version ${version} is served.`;
    const [path, other] = [modelPath(`${name}@${version}`), `${name}@${served}`];
    const versions = [await read<ModelVersion>(path), await read<ModelVersion>(modelPath(other))] as const;
    const comparison = areMeasuredAlike(...versions)
      ? await read<ModelComparison>(`${path}/comparison?${new URLSearchParams({ with: other })}`)
      : null;
    const command = `npx atelier promote ${name}@${version}`;
    if (comparison === null) return `Version ${served} is served. Serve version ${version}: ${command}`;
    const { verdict, accuracy } = comparison;
    const figures = `${formatFigure(accuracy.model)} against ${formatFigure(accuracy.other)}`;
    const advice = verdict === 'worse' ? '' : ` Serve it: ${command}`;
    return `Version ${served} is served. Version ${version} ${VERDICTS[verdict]}: ${figures}.${advice}`;
  } catch {
    return null;
  }
}

/** Whether both results on the same test images are revealed already: a comparison is then not another look at them. */
function areMeasuredAlike(version: ModelVersion, other: ModelVersion): boolean {
  const { dataset } = version.lineage;
  const isSame = dataset !== null && dataset.digest === other.lineage.dataset?.digest;
  return isSame && version.testAccuracy !== null && other.testAccuracy !== null;
}
