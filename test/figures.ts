/** The middle one of some measured values; of an even count, the higher of the two. */
export const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;

/** To hundredths: what is measured here is not more exact. */
export const rounded = (value: number): number => Math.round(value * 100) / 100;
