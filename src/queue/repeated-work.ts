/** Work that is done again and again, and that may fail as long as the database is away. */

/** @returns runs `work`, and reports the first of successive failures */
export function repeatedWork(
  work: () => Promise<void>,
  onFailure: (error: unknown) => void,
): () => Promise<void> {
  let isFailing = false;
  return async () => {
    try {
      await work();
      isFailing = false;
    } catch (error) {
      if (!isFailing) onFailure(error);
      isFailing = true;
    }
  };
}
