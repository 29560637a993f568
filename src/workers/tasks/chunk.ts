/** Limit of the images that a prediction job computes at once, which limits its memory. */
export const MAX_CHUNK_IMAGES = 1000;
