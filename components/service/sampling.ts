/** How a model that was distilled to few steps is asked. */
export interface Sampling {
  /** Its name, as tasks have it. */
  model: string;
  /** Of requests that name none. */
  steps: number;
  maxSteps: number;
  /** Of requests that name none. */
  guidanceScale: number;
  maxGuidanceScale: number;
  /** Width and height of requests that name none, in pixels. */
  side: number;
}

export const samplingEnv = (models: Sampling[]) =>
  models.length > 0 ? [{ name: "SAMPLING", value: JSON.stringify(byModel(models)) }] : [];

const byModel = (models: Sampling[]) =>
  Object.fromEntries(
    models.map(({ model, steps, maxSteps, guidanceScale, maxGuidanceScale, side }) => [
      model,
      {
        steps,
        max_steps: maxSteps,
        guidance_scale: guidanceScale,
        max_guidance_scale: maxGuidanceScale,
        side,
      },
    ]),
  );
