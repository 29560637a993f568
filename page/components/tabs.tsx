/** Tabs, by the pattern of the ARIA Authoring Practices: arrow keys move, the tab that has the focus is shown. */
import type { ComponentChildren, JSX } from 'preact';

export interface Tab {
  /** In the address, and unique on the screen. */
  readonly id: string;
  readonly name: string;
  readonly content: () => ComponentChildren;
}

export interface TabsProps {
  readonly label: string;
  readonly tabs: readonly Tab[];
  /** Id of the tab that is shown; the first one if there is no such tab. */
  readonly current: string;
  readonly onChange: (id: string) => void;
}

export function Tabs({ label, tabs, current, onChange }: TabsProps): JSX.Element {
  const shown = tabs.find(({ id }) => id === current) ?? tabs[0]!;
  function onKeyDown(event: KeyboardEvent): void {
    const index = tabs.indexOf(shown);
    const target = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: -1 }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    const { id } = tabs.at(target % tabs.length)!;
    onChange(id);
    document.getElementById(`tab-${id}`)?.focus();
  }
  return (
    <>
      <div class="tabs" role="tablist" aria-label={label} onKeyDown={onKeyDown}>
        {tabs.map(({ id, name }) => (
          <button
            key={id}
            type="button"
            role="tab"
            id={`tab-${id}`}
            aria-selected={id === shown.id}
            aria-controls={`panel-${id}`}
            tabIndex={id === shown.id ? 0 : -1}
            onClick={() => onChange(id)}
          >
            {name}
          </button>
        ))}
      </div>
      <div class="tab-panel" role="tabpanel" id={`panel-${shown.id}`} aria-labelledby={`tab-${shown.id}`}>
        {shown.content()}
      </div>
    </>
  );
}
