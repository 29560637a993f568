/** The dialog for the API key: after a 401 or 403, or from the header. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { apiKey, closeKeyDialog, keyDialog } from '../../api/key.ts';
import { Button } from '../button.tsx';
import { Field } from '../field.tsx';
import { Dialog } from './dialog.tsx';

export function KeyDialog(): JSX.Element | null {
  return keyDialog.value && <OpenKeyDialog detail={keyDialog.value.problem?.message} />;
}

function OpenKeyDialog({ detail }: { readonly detail: string | undefined }): JSX.Element {
  const [key, setKey] = useState(apiKey.value);
  const [isRemembered, setRemembered] = useState(false);
  return (
    <Dialog title="API key" onClose={() => closeKeyDialog(null)}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          closeKeyDialog(key.trim(), isRemembered);
        }}
      >
        {detail !== undefined && <p role="alert">{detail}</p>}
        <Field id="api-key" label="Key" hint="It is kept in memory and sent only to this service.">
          {(attributes) => (
            <input
              {...attributes}
              type="password"
              autocomplete="off"
              value={key}
              onInput={(event) => setKey(event.currentTarget.value)}
            />
          )}
        </Field>
        <label class="check">
          <input
            type="checkbox"
            checked={isRemembered}
            onChange={(event) => setRemembered(event.currentTarget.checked)}
          />
          Remember in this tab
        </label>
        <div class="actions">
          <Button kind="primary" type="submit">
            Use this key
          </Button>
          <Button onClick={() => closeKeyDialog(null)}>Close</Button>
        </div>
      </form>
    </Dialog>
  );
}
