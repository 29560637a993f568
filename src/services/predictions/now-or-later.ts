/**
 * Values that are there now or later. A prediction of few images by a model in memory is computed without any promise,
 * because the turns of promises would take as long as its forward pass. Everything else is a promise.
 */
export type NowOrLater<T> = T | Promise<T>;

/** Continues at once with a value that is there, otherwise when it is. */
export function andThen<T, U>(value: NowOrLater<T>, next: (value: T) => NowOrLater<U>): NowOrLater<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Calls `onError` if the work fails, now or later, and throws the error again. */
export function watchErrors<T>(work: () => NowOrLater<T>, onError: () => void): NowOrLater<T> {
  const fail = (error: unknown): never => {
    onError();
    throw error;
  };
  try {
    const result = work();
    return result instanceof Promise ? result.catch(fail) : result;
  } catch (error) {
    return fail(error);
  }
}
