/**
 * The header of the kernel's memory, defined by a table of its fields.
 * The table gives the addresses of the fields and a typed view of them. scripts/kernel-addresses.ts writes the
 * addresses to assembly/addresses.ts. An address of 0 means "none".
 */
import {
  MAX_BATCH,
  MAX_CONVOLUTIONS,
  MAX_TABLE_LAYERS,
  MAX_THREADS,
  WIDE_PANEL_VECTORS,
} from './constants.ts';

/** Bytes of a cache line. */
const LINE = 64;

interface Field {
  /** An area has an address, but no property in a view. */
  readonly type: 'i32' | 'f32' | 'f64' | 'area';
  readonly bytes: number;
  readonly alignment: number;
}

type Fields = Readonly<Record<string, Field>>;

interface Table<F extends Fields> {
  readonly fields: F;
  /** Bytes from the start of the table. */
  readonly addresses: Readonly<Record<keyof F, number>>;
  /** Bytes of the table, a multiple of the cache line. */
  readonly bytes: number;
}

/** The fields of a table as properties that read and write memory. */
export type View<F extends Fields> = {
  -readonly [Name in keyof F as F[Name]['type'] extends 'area' ? never : Name]: number;
};

const i32 = { type: 'i32', bytes: 4, alignment: 4 } as const;
const f32 = { type: 'f32', bytes: 4, alignment: 4 } as const;
const f64 = { type: 'f64', bytes: 8, alignment: 8 } as const;
/** A word with a cache line to itself: threads write it while others work. */
const line = { type: 'i32', bytes: LINE, alignment: LINE } as const;
/** The first word of a group of fields that are written together; it starts a cache line. */
const group = { type: 'i32', bytes: 4, alignment: LINE } as const;
const area = (bytes: number) => ({ type: 'area', bytes, alignment: LINE }) as const;

/**
 * One layer of weights: first those of the convolutions, each with its norm's scales and shifts as layers of biases alone, then
 * the fully connected ones. Lists, values, gradients and sums are offsets within the record of an example.
 */
export const LAYER = createTable(0, {
  INPUTS: i32,
  OUTPUTS: i32,
  /** Addresses of W with its biases, and of W transposed. */
  WEIGHTS: i32,
  TRANSPOSED: i32,
  /** The layer's input, and the list of its non-zeros. */
  INPUT_VALUES: i32,
  INPUT_LIST: i32,
  /** z, later a; and ∂/∂z with the list of its non-zeros. */
  OUTPUT_VALUES: i32,
  OUTPUT_GRADIENT: i32,
  GRADIENT_LIST: i32,
  /** Wᵀ dz, before it is multiplied by act'. */
  BACKWARD_SUMS: i32,
  /** act' of the input, later ∂/∂z of the layer below; not for a layer of pixels. */
  INPUT_GRADIENT: i32,
});

/**
 * One convolution. A volume has a border of one zero position, and channels last. Its offset is within what is kept of an
 * image, or (SUMS, GRADIENT and OUTPUT_VOLUME_GRADIENT) within the volumes of a thread. Channels are padded to multiples of 16,
 * except those of the pixels.
 */
export const CONVOLUTION = createTable(0, {
  /** Numbers of the layers of the kernel, and of the scales of its norm (the shifts follow them), or 0. */
  KERNEL: i32,
  NORM: i32,
  HEIGHT: i32,
  WIDTH: i32,
  /** Bytes of a position. */
  INPUT_STEP: i32,
  OUTPUT_STEP: i32,
  /** Output channels without the padding. */
  CHANNELS_OUT: i32,
  /** Whether a pooling follows. */
  POOLED: i32,
  INPUT_VOLUME: i32,
  /** The input of the norm; the means of each two groups, then their 1/σ. */
  NORM_VOLUME: i32,
  NORM_STATISTICS: i32,
  /** The input of the pooling. */
  SUMS: i32,
  /** A byte for each output of the pooling: which of its four positions it comes from. */
  CODES: i32,
  /** The output of the activation or pooling, and act' there. The record has those of the last convolution. */
  OUTPUT_VOLUME: i32,
  DERIVATIVE: i32,
  /** ∂/∂ of the sums, and of the output. */
  GRADIENT: i32,
  OUTPUT_VOLUME_GRADIENT: i32,
});

export const HEADER = createTable(LINE, {
  // Synchronization of the threads; see assembly/threads.ts.
  PHASE: line,
  DONE: line,
  WAITERS: line,
  /** Number of items of each phase, a word each. */
  ITEM_COUNTS: area(LINE),

  // The job, written once.
  THREADS: group,
  LAYER_COUNT: i32,
  /** Number of the first fully connected layer: 1 without convolutions. */
  FIRST_DENSE: i32,
  CONVOLUTION_COUNT: i32,
  /** The values of each image that the backward pass needs. The stride is 0 without one. */
  KEPT: i32,
  KEPT_STRIDE: i32,
  /** The volumes of each thread. */
  VOLUMES: i32,
  VOLUMES_STRIDE: i32,
  /** Images whose gradients of the convolutions are summed in ascending order; then the sums of groups are. */
  GROUP_EXAMPLES: i32,
  /** Bytes from a weight of a convolution to its gradient of the first group, and from one group to the next. */
  GROUP_DELTA: i32,
  GROUP_BYTES: i32,
  /** Offset of the pixels in a record, and their number. */
  PIXELS: i32,
  PIXEL_COUNT: i32,
  RECORDS: i32,
  RECORD_STRIDE: i32,
  /** Offset of a record that stays zero. Lists are padded with it. */
  ZERO_RECORD: i32,
  /** List of the records of the batch. */
  BATCH_LIST: i32,
  PACK16: i32,
  PACK32: i32,
  /** Tables of the values of uint8 pixels, and bytes from the table of a channel to the next one's: 0 if all have the same. */
  PIXEL_VALUES: i32,
  PIXEL_TABLE_STEP: i32,
  /** Number of tables in turn: 1, or 3 for standardization by channel. */
  CHANNELS: i32,
  SCRATCH: i32,
  SCRATCH_STRIDE: i32,
  /** Bytes from a thread's scratch memory to that for a tile of pixels. */
  PIXEL_TILE_OFFSET: i32,
  MASK_BYTES: i32,
  LABELS: i32,
  LOSSES: i32,
  /** One byte per example: 1 if its prediction is correct. */
  CORRECT: i32,
  PARTIALS: i32,
  CLASS_WEIGHTS: i32,
  /** The teachers' probabilities of every example of the training set; 0 without distillation. */
  TARGETS: i32,
  /** Bytes from a weight to its gradient, to its two moments, and to its average (0 without EMA). */
  GRADIENT_DELTA: i32,
  MOMENT1_DELTA: i32,
  MOMENT2_DELTA: i32,
  AVERAGE_DELTA: i32,
  ACTIVATION: i32,
  OPTIMIZER: i32,
  NESTEROV: i32,
  /** Flags of inputs that are treated as non-zero: 0xffff to process zeros too, else 0. */
  DENSE: i32,
  STANDARDIZED: i32,
  /** Whether pixels are float32 instead of uint8. */
  FLOAT_PIXELS: i32,
  /** Largest number of vectors in a panel: WIDE_PANEL_VECTORS where pairs of vectors are joined, else NARROW_PANEL_VECTORS. */
  PANEL_VECTORS: i32,
  SEED: i32,
  DROPOUT_THRESHOLD: i32,
  AUGMENTED: i32,
  /** Rows of the examples that the batch is mixed with; 0 without mixup. */
  PARTNER_ROWS: i32,
  PARTNER_STRIDE: i32,
  /** The shape of augmented images; see imageCopy in layout.ts for the copy. */
  IMAGE_HEIGHT: i32,
  IMAGE_WIDTH: i32,
  IMAGE_CHANNELS: i32,
  COPY_LEFT: i32,
  COPY_STRIDE: i32,
  FLIP: i32,
  SHIFT: i32,
  /** 0 if images are neither rotated nor scaled. */
  WARP_TABLE: i32,
  ERASE_THRESHOLD: i32,
  ERASE_SHAPES: i32,
  ERASE_SHAPE_COUNT: i32,
  NOISE_TABLE: i32,
  L1: f32,
  L2: f32,
  WEIGHT_DECAY: f32,
  MOMENTUM: f32,
  ALPHA: f32,
  ONE_MINUS_ALPHA: f32,
  BETA1: f32,
  ONE_MINUS_BETA1: f32,
  BETA2: f32,
  ONE_MINUS_BETA2: f32,
  EPSILON: f32,
  SMOOTHING: f32,
  /** Part of the target that comes from the teachers. */
  TEACHER_WEIGHT: f32,
  DROPOUT_SCALE: f32,
  CLIP_NORM: f32,

  // The step, written before each.
  MODE: group,
  SHUTDOWN: i32,
  BATCH_SIZE: i32,
  BATCH_LIST_LENGTH: i32,
  EXAMPLES_PER_ITEM: i32,
  EPOCH: i32,
  /** Position in the epoch of the first example. */
  START: i32,
  /** Whether the rows of all threads have been copied before the step. */
  ROWS_COPIED: i32,
  /** Number of the step. */
  STEP: i32,
  /** 256 λ of mixup, and 1 − λ. */
  MIXING_WEIGHT: i32,
  PARTNER_FRACTION: f32,
  LEARNING_RATE: f32,
  DZ_SCALE: f32,
  STEP_SIZE: f32,
  ROOT_CORRECTION: f32,
  KEEP_WEIGHTS: f32,
  /** 1 − d_t of the average. */
  AVERAGE_RATE: f32,
  /** Factor by which clipping shortens the gradient. */
  CLIP_SCALE: f32,

  // The results of the step.
  CORRECT_SUM: group,
  LOSS_SUM: f64,
  GRADIENT_NORM: f64,

  /** Factors of float32 pixels, for four pixels from each of three channels on. */
  PIXEL_SCALES: area(64),
  /** μ/σ of each channel, repeated in the same way. */
  MEANS_OVER_STDS: area(64),
  LAYERS: area(MAX_TABLE_LAYERS * LAYER.bytes),
  CONVOLUTIONS: area(MAX_CONVOLUTIONS * CONVOLUTION.bytes),
  /** Zeros that the sums of a panel start from. */
  ZEROS: area(16 * WIDE_PANEL_VECTORS),
  /** Indices of the batch's examples, for threads that copy their rows themselves. */
  INDICES: area(4 * MAX_BATCH),
  /** Position in the batch of the example that each one is mixed with. */
  PARTNERS: area(4 * MAX_BATCH),
  /** Positions in the batch in the order in which pairs of examples are taken. */
  ORDER: area(4 * MAX_BATCH),
  /** The next item of each thread, a cache line each. */
  NEXT_ITEM: area(LINE * MAX_THREADS),
});

function createTable<const F extends Fields>(start: number, fields: F): Table<F> {
  const addresses: Record<string, number> = {};
  let end = start;
  for (const [name, { bytes, alignment }] of Object.entries(fields)) {
    const address = Math.ceil(end / alignment) * alignment;
    addresses[name] = address;
    end = address + bytes;
  }
  return {
    fields,
    addresses: addresses as Record<keyof F, number>,
    bytes: Math.ceil(end / LINE) * LINE,
  };
}

/** A view of the table at `start` bytes of `memory`. Assigning to f32 rounds; i32 takes unsigned numbers too. */
export function createView<F extends Fields>(
  { fields, addresses }: Table<F>,
  memory: ArrayBufferLike,
  start = 0,
): View<F> {
  const arrays = {
    i32: new Int32Array(memory),
    f32: new Float32Array(memory),
    f64: new Float64Array(memory),
  };
  const view = {};
  for (const [name, { type }] of Object.entries(fields)) {
    if (type === 'area') continue;
    const array = arrays[type];
    const index = (start + addresses[name as keyof F]) / array.BYTES_PER_ELEMENT;
    Object.defineProperty(view, name, {
      get: () => array[index],
      set: (value: number) => {
        array[index] = value;
      },
    });
  }
  // V8 calls accessors of a prototype faster than accessors of an object with this many properties.
  return Object.create(view) as View<F>;
}
