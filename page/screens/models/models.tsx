/** Screen: models, their versions and aliases, and the import of a model file. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Model } from '../../../src/domain/models/representation.ts';
import type { List } from '../../api/list.ts';
import { useResource } from '../../api/use-resource.ts';
import { Button } from '../../components/button.tsx';
import { EmptyState } from '../../components/feedback/empty-state.tsx';
import { Loaded } from '../../components/feedback/loaded.tsx';
import { Field } from '../../components/field.tsx';
import { Screen } from '../../components/screen.tsx';
import { links, query, replaceQuery } from '../../router.ts';
import { ImportForm } from './import-form.tsx';
import { ModelBox } from './model-box.tsx';

const PAGE = 20;
const POLL_MS = 10_000;

export function Models(): JSX.Element {
  const [limit, setLimit] = useState(PAGE);
  const [isImporting, setImporting] = useState(false);
  const prefix = new URLSearchParams(query.value).get('prefix') ?? '';
  const search = new URLSearchParams({ limit: `${limit}`, ...(prefix !== '' && { namePrefix: prefix }) });
  const models = useResource<List<Model>>(`/v1/models?${search}`, { pollMs: POLL_MS });
  const importButton = (
    <Button pressed={isImporting} onClick={() => setImporting(!isImporting)}>
      Import a model
    </Button>
  );
  return (
    <Screen title="Models" actions={importButton}>
      {isImporting && <ImportForm onClose={() => setImporting(false)} />}
      <Loaded resource={models} lines={8}>
        {({ data, hasMore }) => (
          <>
            {(hasMore || prefix !== '') && <PrefixField prefix={prefix} />}
            {data.length === 0 && <NoModels prefix={prefix} />}
            {data.map((model) => (
              <ModelBox key={model.name} model={model} />
            ))}
            {hasMore && limit < 100 && (
              <div class="actions">
                <Button onClick={() => setLimit(100)}>Show more models</Button>
              </div>
            )}
          </>
        )}
      </Loaded>
    </Screen>
  );
}

function NoModels({ prefix }: { readonly prefix: string }): JSX.Element {
  if (prefix !== '') return <EmptyState text={`The name of no model begins with “${prefix}”.`} />;
  const body = { dataset: 'fashion-mnist', modelName: 'fashion' };
  return (
    <EmptyState
      text="There are no models yet. A training job publishes one when it succeeds."
      action={{ name: 'Train a network', href: links.train() }}
      request={{ method: 'POST', path: '/v1/training-jobs', body }}
    />
  );
}

function PrefixField({ prefix }: { readonly prefix: string }): JSX.Element {
  return (
    <Field id="model-prefix" label="Name begins with">
      {(attributes) => (
        <input
          {...attributes}
          type="search"
          value={prefix}
          onChange={({ currentTarget: { value } }) =>
            replaceQuery(value === '' ? '' : `${new URLSearchParams({ prefix: value })}`)
          }
        />
      )}
    </Field>
  );
}
