/** Lists of what is allowed, as text. */
const format = new Intl.ListFormat('en-GB', { type: 'disjunction' });

/** "a", "a or b", "a, b or c" */
export const alternatives = (names: readonly string[]): string => format.format(names);
