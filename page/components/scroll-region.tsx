/** Content that scrolls sideways, such as a wide table. It can be scrolled by keyboard. */
import type { ComponentChildren, JSX } from 'preact';

export function ScrollRegion({
  label,
  children,
}: {
  readonly label: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls needs the focus, or keys cannot scroll it
    <section class="scroll" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
