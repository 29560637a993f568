/** A button, or a link that looks like one. */
import type { ComponentChildren, JSX } from 'preact';

export interface ButtonProps {
  /** `primary`: the one main action of a screen. `danger`: deletes or cancels. `quiet`: no border. */
  readonly kind?: 'primary' | 'secondary' | 'danger' | 'quiet';
  readonly type?: 'button' | 'submit';
  readonly onClick?: () => void;
  /** A link with the same looks. */
  readonly href?: string;
  readonly disabled?: boolean;
  /** While the action runs: it keeps its width and cannot be clicked again. */
  readonly isBusy?: boolean;
  /** For a button that is on or off. */
  readonly pressed?: boolean;
  /** If the text is not enough. */
  readonly label?: string;
  readonly children: ComponentChildren;
}

export function Button(props: ButtonProps): JSX.Element {
  const {
    kind = 'secondary',
    type = 'button',
    onClick,
    href,
    disabled,
    isBusy,
    pressed,
    label,
    children,
  } = props;
  if (href !== undefined) {
    return (
      <a class={`button ${kind}`} href={href} aria-label={label}>
        {children}
      </a>
    );
  }
  return (
    <button
      class={`button ${kind}`}
      type={type}
      disabled={disabled || isBusy}
      aria-busy={isBusy}
      aria-pressed={pressed}
      aria-label={label}
      onClick={onClick}
    >
      {children}
    </button>
  );
}
