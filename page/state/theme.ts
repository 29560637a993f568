/** Light or dark: as the system, or as chosen in this browser. */
import { signal } from '@preact/signals';

const CHOICES = ['auto', 'light', 'dark'] as const;
type ThemeChoice = (typeof CHOICES)[number];

const KEY = 'atelier-theme';

export const theme = signal<ThemeChoice>(
  CHOICES.find((choice) => choice === localStorage.getItem(KEY)) ?? 'auto',
);

export function applyTheme(): void {
  document.documentElement.dataset['theme'] = theme.value;
}

export function nextTheme(): void {
  theme.value = CHOICES[(CHOICES.indexOf(theme.value) + 1) % CHOICES.length]!;
  localStorage.setItem(KEY, theme.value);
  applyTheme();
}
