/** Limit of the images that a prediction job computes at once, to limit its memory. */
export const MAX_CHUNK_IMAGES = 1000;
