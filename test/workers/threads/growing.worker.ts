/** Thread entry: grows a WebAssembly memory until growing fails. */
/** Missing from Node's types. */
type Growing = WebAssembly.Memory & { grow(pages: number): number };
const memory = new WebAssembly.Memory({ initial: 1, maximum: 64, shared: true }) as Growing;
for (;;) memory.grow(1);
