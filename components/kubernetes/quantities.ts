/** Of Kubernetes quantities, in bytes. */
const units = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 };

/** @param quantity of memory or disk, like 512Mi or 1.5Gi */
export function bytes(quantity: string): number {
  return Number.parseFloat(quantity) * units[quantity.slice(-2) as keyof typeof units];
}
