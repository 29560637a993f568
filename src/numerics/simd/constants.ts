/**
 * Constants of the kernel: whole numbers only, because both Node and AssemblyScript read them.
 *
 * How work is divided: a panel is the units whose sums fit the vector registers; a tile is the rows, or examples, that
 * stay in the first-level cache; a block is the rows of W that one thread updates together; a chunk is the examples that
 * pass through the network together; an item is what a thread claims, one block or a few examples.
 */

export const MAX_BATCH = 1024;
export const MAX_THREADS = 64;
export const MAX_LAYERS = 10;
export const MAX_CONVOLUTIONS = 12;
/** Layers of the table: fully connected ones, and for each convolution its kernel, scales and shifts. */
export const MAX_TABLE_LAYERS = 46;

/** Largest number of float32×4 vectors in a panel: as many accumulators as fit the registers, single or joined. */
export const NARROW_PANEL_VECTORS = 12;
export const WIDE_PANEL_VECTORS = 24;
/** Vectors in a panel of a network with convolutions: 16 outputs, a cache line. */
export const CONVOLUTION_PANEL_VECTORS = 4;
/** Images that pass together through a network with convolutions, so that what is kept of them stays in the cache. */
export const CHUNK_IMAGES = 32;
/** Largest number of joined vectors processed in pairs of pixels: two sums, two inputs and a row fit the registers. */
export const MAX_PAIRED_VECTORS = 12;
/** Largest number of vectors of a later layer that is processed without lists: sums of four rows fit the registers. */
export const DENSE_VECTORS = 4;
/** Rows of the widest panel in a tile: 80 rows of 96 float32 are 30 KB and stay in a first-level cache of 32 KB. */
export const TILE_ROWS = 80;
/** Vectors of a row · words of 64 rows in a tile of pairs of examples: 64 rows of 40 float32×4 are 40 KB. */
export const PAIRED_TILE_VECTORS = 40;
/**
 * Zero pixels are skipped if at least one of so many is zero in both of a pair. Measured: processing all takes 0.73 of the time
 * of skipping if none is zero, and the same if a quarter is.
 */
export const SPARSE_PART = 5;
/** Rows in a tile of pixels that are not skipped, converted to float32: 128 examples in 96 KB. A multiple of twelve. */
export const PIXEL_TILE = 192;
/** Bytes at the start of a list of inputs: positions at which its tiles begin, u32. Enough for 159 tiles of TILE_ROWS. */
export const LIST_START_BYTES = 640;
/** Examples in a tile of an update's sum, for the same reason, and because a mask has 64 bits. */
export const TILE_EXAMPLES = 64;
/** Bytes of the table of the values of a channel's pixels: float32 for each byte. */
export const PIXEL_TABLE_BYTES = 1024;
/** Rows of W in a block. */
export const BLOCK_ROWS = 32;
/** Examples in a chunk, so that a tile of weights is read once for all of them. */
export const CHUNK_EXAMPLES = 128;

// Phases of a step: forward and backward pass; gradients and updates; updates from buffered gradients.
export const PASS = 0;
export const UPDATE = 1;
export const APPLY = 2;
/** Flag in PHASE: the step is over. */
export const STEP_ENDED = 4;

// Values of MODE. DIRECT adds the gradient of plain sgd to the weights as it is summed; FUSED updates each block once
// its gradient is summed; BUFFERED updates after all gradients are known; GRADIENT computes them without an update.
export const MODE_DIRECT = 0;
export const MODE_FUSED = 1;
export const MODE_BUFFERED = 2;
export const MODE_GRADIENT = 3;

// Values of ACTIVATION.
export const RELU = 0;
export const LEAKY_RELU = 1;
export const TANH = 2;
export const SIGMOID = 3;
export const IDENTITY = 4;
export const SILU = 5;

// Values of OPTIMIZER.
export const SGD = 0;
export const RMSPROP = 1;
export const ADAM = 2;
