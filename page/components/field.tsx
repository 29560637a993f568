/** A labelled control with its hint and its error. */
import type { ComponentChildren, JSX } from 'preact';

/** Attributes that connect a control with its label, hint and error. */
export interface ControlAttributes {
  readonly id: string;
  readonly 'aria-describedby': string | undefined;
  readonly 'aria-invalid': true | undefined;
}

export interface FieldProps {
  /** Unique in the document. */
  readonly id: string;
  readonly label: ComponentChildren;
  /** Limits, unit, default. */
  readonly hint?: ComponentChildren;
  readonly error?: string | undefined;
  /** Beside the label. */
  readonly extra?: ComponentChildren;
  readonly children: (attributes: ControlAttributes) => ComponentChildren;
}

export function Field({ id, label, hint, error, extra, children }: FieldProps): JSX.Element {
  const described = [hint !== undefined && `${id}-hint`, error !== undefined && `${id}-error`].filter(
    Boolean,
  );
  return (
    <div class="field">
      <div class="field-head">
        <label for={id}>{label}</label>
        {extra}
      </div>
      <div class="field-body">
        {children({
          id,
          'aria-describedby': described.join(' ') || undefined,
          'aria-invalid': error === undefined ? undefined : true,
        })}
        {hint !== undefined && (
          <p class="hint" id={`${id}-hint`}>
            {hint}
          </p>
        )}
        {error !== undefined && (
          <p class="field-error" id={`${id}-error`}>
            {error}
          </p>
        )}
      </div>
    </div>
  );
}
