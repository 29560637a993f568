/** Thread entry: lets WebAssembly's memory grow until it is given no more. */
/** Missing from Node's types. */
type Growing = WebAssembly.Memory & { grow(pages: number): number };
const memory = new WebAssembly.Memory({ initial: 1, maximum: 64, shared: true }) as Growing;
for (;;) memory.grow(1);
