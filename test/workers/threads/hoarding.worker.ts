/** Thread entry: allocates heap memory until the limit is reached. */
const kept: unknown[][] = [[1]];
for (;;) kept.push(kept.at(-1)!.concat(kept.at(-1)!));
