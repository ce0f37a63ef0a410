/** Seconds for a picture of 1024 × 1024 in 30 steps on an H100, measured: docs/performance.md. */
const h100Seconds = 0.954;

/** Pictures a second of SDXL, MLPerf Inference 5.1, closed, server: docs/reference/sizes.md. */
const mlperf = { H200: 2.3, H100: 2.23, L40S: 0.74, L4: 0.22 };

export type Gpu = keyof typeof mlperf;

/** What a picture takes on each GPU: of others than the H100 by MLPerf's proportions, not measured. */
export const pictureSeconds = Object.fromEntries(
  Object.entries(mlperf).map(([gpu, rate]) => [gpu, (h100Seconds * mlperf.H100) / rate]),
) as Record<Gpu, number>;
