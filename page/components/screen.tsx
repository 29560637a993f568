/** A screen: its heading (focused after navigation), its content, and "as curl". */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { AsCurl } from './as-curl.tsx';

export interface ScreenProps {
  /** Also the title of the document. */
  readonly title: string;
  /** Instead of the title, if the heading is more than a text. */
  readonly heading?: ComponentChildren;
  /** Beside the heading: actions of the whole screen. */
  readonly actions?: ComponentChildren;
  /** False if the screen has its own. */
  readonly hasCurl?: boolean;
  readonly children: ComponentChildren;
}

/** The first screen does not take the focus from the start of the document. */
let isFirst = true;

export function Screen({ title, heading, actions, hasCurl = true, children }: ScreenProps): JSX.Element {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Atelier`;
  }, [title]);
  useEffect(() => {
    if (!isFirst) {
      scrollTo(0, 0);
      ref.current?.focus({ preventScroll: true });
    }
    isFirst = false;
  }, []);
  return (
    <>
      <div class="screen-head">
        <h1 ref={ref} tabIndex={-1}>
          {heading ?? title}
        </h1>
        {actions && <div class="actions">{actions}</div>}
      </div>
      {children}
      {hasCurl && <AsCurl />}
    </>
  );
}
