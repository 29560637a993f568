/** A model in the list of models: its name, its aliases and its newest versions. */
import type { JSX } from 'preact';
import type { Model } from '../../../src/domain/models/representation.ts';
import { DatasetName } from '../../components/dataset-name.tsx';
import { links } from '../../router.ts';
import { VersionTable } from './version-table.tsx';

export function ModelBox({ model }: { readonly model: Model }): JSX.Element {
  const { name } = model;
  return (
    <section class="box model-box" aria-labelledby={`model-${name}`}>
      <div class="screen-head">
        <h2 id={`model-${name}`}>
          <a href={links.model(name)}>
            <DatasetName id={name} />
          </a>
        </h2>
        <AliasLinks model={model} />
      </div>
      <ModelVersions model={model} />
    </section>
  );
}

/** The aliases of a model, as links to their versions. */
export function AliasLinks({ model: { name, aliases } }: { readonly model: Model }): JSX.Element {
  return (
    <ul class="model-aliases">
      {Object.entries(aliases).map(([alias, version]) => (
        <li key={alias}>
          <a class="model-alias" href={links.modelVersion(name, version)}>
            {alias} → {version}
          </a>
        </li>
      ))}
    </ul>
  );
}

export function ModelVersions({ model }: { readonly model: Model }): JSX.Element {
  const { name, versions, aliases, latest } = model;
  return <VersionTable model={name} total={versions} state={JSON.stringify([latest.version, aliases])} />;
}
