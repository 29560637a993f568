/**
 * Where things lie at the start of a job's memory, in bytes. Read by both sides of the border: by Node as it is,
 * and by AssemblyScript, so nothing here but whole numbers.
 */

// What the threads share the work by; each word has a cache line (64 bytes) to itself.
export const CLAIM = 64;
export const DONE = 128;
export const SLEEPERS = 192;
/** Items of each phase, four words. */
export const ITEMS = 256;

// What the job is (written once).
export const THREADS = 460;
export const LAYER_COUNT = 324;
export const RECORDS = 328;
export const RECORD_STRIDE = 332;
export const ALL_ROWS = 336;
export const PACK16 = 340;
export const PACK32 = 344;
export const PIXEL_VALUES = 348;
export const SCRATCH = 352;
export const SCRATCH_STRIDE = 356;
export const LABELS = 360;
export const LOSSES = 364;
export const HITS = 368;
export const PARTIALS = 372;
export const GRADIENT_DELTA = 376;
export const STATE1_DELTA = 380;
export const STATE2_DELTA = 384;
/** Offset of a record that is never written. */
export const ZERO_RECORD = 320;
/** Even number of entries of ALL_ROWS that make up the batch. */
export const ALL_ROWS_LENGTH = 456;
export const CLASS_WEIGHTS = 388;
export const ACTIVATION = 392;
export const OPTIMIZER = 396;
export const NESTEROV = 400;
export const DENSE = 404;
export const STANDARDIZED = 408;
export const SEED = 412;
export const DROPOUT_THRESHOLD = 416;
export const FLIP = 420;
export const SHIFT = 424;
export const ERASE_THRESHOLD = 428;
export const ERASE_SHAPES = 432;
export const ERASE_SHAPE_COUNT = 436;
export const NOISE_TABLE = 440;
export const AUGMENTED = 444;
export const FLOAT_PIXELS = 448;
export const MASKS_SIZE = 452;

// Numbers of the job as float32.
export const L1 = 512;
export const L2 = 516;
export const WEIGHT_DECAY = 520;
export const MOMENTUM = 524;
export const BETA1 = 528;
export const BETA2 = 532;
export const EPSILON = 536;
export const ALPHA = 540;
export const SMOOTHING = 544;
export const DROPOUT_SCALE = 548;
/** What float32 pixels are multiplied by; those of uint8 are looked up. */
export const PIXEL_SCALE = 552;
export const MEAN_OVER_STD = 556;
export const CLIP_NORM = 560;
export const ONE_MINUS_BETA1 = 564;
export const ONE_MINUS_BETA2 = 568;
export const ONE_MINUS_ALPHA = 572;

// What one step is (written before each).
export const QUITS = 640;
export const BATCH = 644;
export const EPOCH = 648;
export const START = 652;
export const MODE = 656;
export const LEARNING_RATE = 660;
export const DZ_SCALE = 664;
export const STEP_SIZE = 668;
export const ROOT_CORRECTION = 672;
export const KEEP_WEIGHTS = 676;
/** Whether the caller has copied the rows of all threads. */
export const COPIED = 680;

/** Counts steps. */
export const STEP = 684;
/** Examples of one item of the first phase. */
export const ITEM_EXAMPLES = 688;
/** What clipping leaves of the gradient. */
export const CLIP_SCALE = 692;

// What it answers.
export const LOSS_SUM = 704;
export const GRADIENT_NORM = 712;
export const CORRECT_SUM = 720;

// One entry a layer.
export const LAYERS = 1024;
export const LAYER_BYTES = 64;
export const INPUTS = 0;
export const OUTPUTS = 4;
export const WEIGHTS = 8;
export const TRANSPOSED = 12;
/** Offsets within an example's record: the layer's input, its list of non-zeros, its output, ∂/∂z. */
export const INPUT_VALUES = 16;
export const INPUT_LIST = 20;
export const OUTPUT_VALUES = 24;
export const OUTPUT_GRADIENT = 28;
export const GRADIENT_LIST = 32;
export const BACK_SUMS = 40;

/** Zeros for a panel's sums to start from. */
export const ZEROS = 1664;

/** Indices of the batch's examples, for threads that copy their rows themselves. */
export const INDICES = 2048;
export const MAX_BATCH = 1024;

/** The next item of each thread, a cache line each. */
export const TURNS = 6144;
export const MAX_THREADS = 64;

/** The first byte that is laid out by the size of the job. */
export const HEADER_BYTES = 2048 + 4096 + 4096;

/** Examples whose way forward and back is computed together, so that a block of weights is read once for all. */
export const GROUP = 128;
/** Rows of a panel walked at a time: 176 rows of 48 float32 are 34 KB and stay in the first-level cache. */
export const BLOCK_ROWS = 176;
/** Rows of W a thread updates at a time. */
export const CHUNK_ROWS = 32;
/** Examples summed at a time in an update, for the same reason. */
export const BLOCK_EXAMPLES = 128;
/** float32×4 vectors across a panel: as many accumulators as fit the registers. */
export const PANEL_VECTORS = 12;

// Phases of a step
export const PASS = 0;
export const UPDATE = 1;
export const APPLY = 2;
/** In CLAIM: the step is over. */
export const CLOSED = 4;

// MODE of a step
export const MODE_DIRECT = 0;
export const MODE_FUSED = 1;
export const MODE_BUFFERED = 2;
export const MODE_GRADIENT = 3;

// ACTIVATION
export const RELU = 0;
export const LEAKY_RELU = 1;
export const TANH = 2;
export const SIGMOID = 3;
export const IDENTITY = 4;

// OPTIMIZER
export const SGD = 0;
export const RMSPROP = 1;
export const ADAM = 2;
