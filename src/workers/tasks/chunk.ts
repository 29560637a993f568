/** Limit of the images that a task passes through a network at once, to bound the memory of its outputs. */
export const MAX_CHUNK_IMAGES = 1000;
