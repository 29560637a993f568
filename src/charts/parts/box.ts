/** Rectangles of a chart, in pixels from its upper left corner. */

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export const boxWidth = ({ left, right }: Box): number => right - left;
export const boxHeight = ({ top, bottom }: Box): number => bottom - top;
/** Rounds to the precision of coordinates. */
export const tenth = (value: number): number => Math.round(value * 10) / 10;
