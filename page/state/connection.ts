/** Whether the service responds, and whether it is busy. The banner shows both. */
import { signal } from '@preact/signals';

/** Time of the first failed connection since the last response, or null. */
export const awaySince = signal<Date | null>(null);
/** Seconds until a rejected request is sent again, or null. */
export const retryIn = signal<number | null>(null);

/** How often the service has come back: resources that have failed are then loaded again. */
export const reconnections = signal(0);

export function reportConnection(isConnected: boolean): void {
  if (!isConnected) awaySince.value ??= new Date();
  else if (awaySince.value !== null) {
    awaySince.value = null;
    reconnections.value++;
  }
}
