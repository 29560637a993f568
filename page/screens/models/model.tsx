/** Screen: one model, with its aliases and its versions. */
import type { JSX } from 'preact';
import type { Model as ModelResource } from '../../../src/domain/models/representation.ts';
import { useResource } from '../../api/use-resource.ts';
import { Button } from '../../components/button.tsx';
import { Loaded } from '../../components/feedback/loaded.tsx';
import { Screen } from '../../components/screen.tsx';
import { links } from '../../router.ts';
import { useDatasetName } from '../../state/dataset-names.ts';
import { servedVersion } from '../model-version/shown-version.ts';
import { AliasLinks, ModelVersions } from './model-box.tsx';

const POLL_MS = 10_000;

export function Model({ name }: { readonly name: string }): JSX.Element {
  const model = useResource<ModelResource>(`/v1/models/${encodeURIComponent(name)}`, { pollMs: POLL_MS });
  const { data } = model;
  return (
    <Screen
      title={useDatasetName(name)}
      actions={
        data && (
          <>
            <Button href={links.try(name)}>Try it</Button>
            <Button href={links.modelVersion(name, servedVersion(data))}>Served version</Button>
          </>
        )
      }
    >
      <Loaded resource={model} lines={6}>
        {(loaded) => (
          <section class="box model-box" aria-label="Versions and aliases">
            <AliasLinks model={loaded} />
            <ModelVersions model={loaded} />
          </section>
        )}
      </Loaded>
    </Screen>
  );
}
