/** Aliases of a model: move them to the version that is shown, roll them back, and what happened before. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Alias, AliasMove } from '../../../src/domain/models/alias.ts';
import { request, requestJson } from '../../api/client.ts';
import type { List } from '../../api/list.ts';
import { type ApiProblem, toProblem } from '../../api/problem.ts';
import { useResource } from '../../api/use-resource.ts';
import { Button } from '../../components/button.tsx';
import { Loaded } from '../../components/feedback/loaded.tsx';
import { ProblemBox } from '../../components/feedback/problem-box.tsx';
import { Field } from '../../components/field.tsx';
import { Table } from '../../components/table.tsx';
import { dateTime } from '../../format.ts';
import { links } from '../../router.ts';
import { readTag } from './alias-tag.ts';
import type { ShownVersion } from './shown-version.ts';

interface AliasList {
  readonly data: readonly Alias[];
  readonly history: List<AliasMove>;
}

export interface AliasesProps {
  readonly version: ShownVersion;
  readonly onChange: () => void;
}

export function Aliases({ version: { name, version }, onChange }: AliasesProps): JSX.Element {
  const path = `/v1/models/${encodeURIComponent(name)}/aliases`;
  const aliases = useResource<AliasList>(path);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [warning, setWarning] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);

  /** @param shown the alias as the user sees it; undefined creates it */
  async function change(alias: string, target: number | null, shown?: Alias): Promise<void> {
    setBusy(true);
    setProblem(null);
    setWarning(null);
    const url = `${path}/${encodeURIComponent(alias)}`;
    try {
      const headers = shown ? { 'if-match': await readTag(url, shown) } : { 'if-none-match': '*' };
      if (target === null) await request(url, { headers, method: 'DELETE' });
      else {
        const moved = await requestJson<Alias>(url, { headers, method: 'PUT', body: { version: target } });
        setWarning(moved.warning ?? null);
      }
    } catch (error) {
      setProblem(toProblem(error));
    }
    setBusy(false);
    aliases.reload();
    onChange();
  }

  return (
    <Loaded resource={aliases} lines={10}>
      {({ data, history }) => {
        const previousOf = (alias: string) =>
          history.data.find((move) => move.alias === alias)?.previousVersion ?? null;
        return (
          <div class="stack">
            {problem && <ProblemBox problem={problem} />}
            {warning && <p class="notice">{warning}</p>}
            {data.length > 0 && (
              <section class="box" aria-label="Aliases">
                <ul class="stack model-alias-list">
                  {data.map((shown) => (
                    <li key={shown.alias} class="screen-head">
                      <p>
                        <strong>{shown.alias}</strong> →{' '}
                        <a href={links.modelVersion(name, shown.version)}>version {shown.version}</a>
                        <br />
                        <span class="note">
                          since {dateTime(shown.movedAt)} by {shown.movedBy}
                        </span>
                      </p>
                      <AliasActions
                        shown={shown}
                        version={version}
                        previous={previousOf(shown.alias)}
                        isBusy={isBusy}
                        onMove={(target) => void change(shown.alias, target, shown)}
                      />
                    </li>
                  ))}
                </ul>
              </section>
            )}
            <NewAlias
              version={version}
              suggested={data.some(({ alias }) => alias === 'champion') ? '' : 'champion'}
              isBusy={isBusy}
              onCreate={(alias) =>
                void change(
                  alias,
                  version,
                  data.find((each) => each.alias === alias),
                )
              }
            />
            <History moves={history.data} />
          </div>
        );
      }}
    </Loaded>
  );
}

interface AliasActionsProps {
  readonly shown: Alias;
  /** Version of the screen. */
  readonly version: number;
  readonly previous: number | null;
  readonly isBusy: boolean;
  /** null deletes the alias. */
  readonly onMove: (target: number | null) => void;
}

function AliasActions({ shown, version, previous, isBusy, onMove }: AliasActionsProps): JSX.Element {
  const { alias } = shown;
  return (
    <div class="actions">
      {shown.version !== version && (
        <Button
          isBusy={isBusy}
          label={`Move to version ${version}: ${alias}`}
          onClick={() => onMove(version)}
        >
          Move to version {version}
        </Button>
      )}
      {previous !== null && previous !== shown.version && (
        <Button
          isBusy={isBusy}
          label={`Roll back to version ${previous}: ${alias}`}
          onClick={() => onMove(previous)}
        >
          Roll back to version {previous}
        </Button>
      )}
      <Button kind="quiet" isBusy={isBusy} label={`Remove ${alias}`} onClick={() => onMove(null)}>
        Remove
      </Button>
    </div>
  );
}

interface NewAliasProps {
  readonly version: number;
  readonly suggested: string;
  readonly isBusy: boolean;
  readonly onCreate: (alias: string) => void;
}

function NewAlias({ version, suggested, isBusy, onCreate }: NewAliasProps): JSX.Element {
  return (
    <form
      class="box"
      onSubmit={(event) => {
        event.preventDefault();
        onCreate(`${new FormData(event.currentTarget).get('alias')}`);
      }}
    >
      <Field
        id="new-alias"
        label="New alias"
        hint="The alias champion is the version that a name alone means."
      >
        {(attributes) => (
          <div class="model-new-alias">
            <input {...attributes} name="alias" defaultValue={suggested} required autocomplete="off" />
            <Button type="submit" isBusy={isBusy}>
              Point at version {version}
            </Button>
          </div>
        )}
      </Field>
    </form>
  );
}

function History({ moves }: { readonly moves: readonly AliasMove[] }): JSX.Element | null {
  if (moves.length === 0) return null;
  const show = (version: number | null) => version ?? 'none';
  return (
    <section class="box" aria-labelledby="alias-history">
      <h2 id="alias-history">History</h2>
      <Table
        caption="History of the aliases"
        rows={moves}
        keyOf={({ id }) => id}
        columns={[
          { name: 'When', cell: ({ at }) => dateTime(at) },
          { name: 'Alias', cell: ({ alias }) => alias },
          {
            name: 'Version',
            cell: ({ previousVersion, version }) => `${show(previousVersion)} → ${show(version)}`,
          },
          { name: 'By', cell: ({ caller, promotion }) => (promotion ? `${caller} (publication)` : caller) },
        ]}
      />
    </section>
  );
}
