import { renderAlertSink } from "./alerts";
import { applyObjects, ensureControlPlane, ensureRuntime, untilPodsRun } from "./cluster";
import { ensureKeda } from "./cluster/keda";
import {
  ensureBase,
  ensureImage,
  type ImageReferences,
  loadImage,
  removeLeftovers,
  removeReplaced,
} from "./images";
import { type BaseName, type ImageName, kedaRecipe, type Recipe, recipes } from "./images/recipes";
import { ensurePackages } from "./packages";
import type { Step, Steps } from "./steps";
import {
  downloadModule,
  downloadReleases,
  findBuild,
  makeBuild,
  removeGoCaches,
  type Toolchain,
} from "./toolchain";
import { autoscaleBuilds, type Build, builds } from "./toolchain/builds";

type BuildStep = Step<Partial<Toolchain>>;

const quick = { seconds: 0.1, cpuSeconds: 0.1 };

/** Steps that end with every program in the cache; compiling goes one by one, on all cores. */
export function addToolchain(steps: Steps, wanted: readonly Build[]): Map<Build, BuildStep> {
  const added = new Map<Build, BuildStep>();
  const missing = async () => {
    const found = await Promise.all(wanted.map(findBuild));
    return wanted.filter((_, index) => !found[index]);
  };
  const releases = steps.add("releases", { seconds: 1, cpuSeconds: 1 }, [], async (report) =>
    downloadReleases(await missing(), report),
  );
  const download = steps.add(
    "Go modules",
    { seconds: 17, cpuSeconds: 27 },
    [releases],
    async (report) => {
      const modules = new Set((await missing()).map(({ module }) => module));
      if (modules.size > 0) report("downloading");
      await Promise.all([...modules].map(downloadModule));
    },
  );
  let previous: Step<unknown> = download;
  for (const build of wanted) {
    // Linking keeps one core busy.
    const cost = { seconds: build.cpuSeconds / 1.8, cpuSeconds: build.cpuSeconds };
    const step = steps.add(build.name, cost, [previous], async (report) => {
      const found = await findBuild(build);
      if (found) return found;
      report("compiling");
      await makeBuild(build);
      return (await findBuild(build)) as Partial<Toolchain>;
    });
    added.set(build, step);
    previous = step;
  }
  steps.add("Go's caches", quick, [previous], removeGoCaches);
  return added;
}

/** The whole toolchain's programs, once they are there. */
export const gather = (steps: Steps, added: Map<Build, BuildStep>): Step<Toolchain> =>
  steps.add(
    "toolchain",
    quick,
    [...added.values()],
    async (_, ...parts) => Object.assign({}, ...parts) as Toolchain,
  );

/**
 * Steps from a bare machine to a running cluster with every image in it.
 * @param more builds beside those of the local stack
 * @param autoscale whether KEDA is to be in it
 */
export function addCluster(
  steps: Steps,
  { more = [], autoscale = false }: { more?: readonly Build[]; autoscale?: boolean } = {},
): {
  toolchain: Step<Toolchain>;
  images: Step<ImageReferences>;
  /** Takes the stack's objects, whose pods may have to wait for the rest. */
  controlPlane: Step<unknown>;
  cluster: Step<void>;
} {
  const packages = steps.add("packages", { seconds: 20, cpuSeconds: 8 }, [], ensurePackages);
  const wanted = [...builds, ...(autoscale ? autoscaleBuilds : []), ...more];
  const added = addToolchain(steps, wanted);
  const [runtime, kubernetes, network] = [...added.values()] as [BuildStep, BuildStep, BuildStep];

  const storage = steps.add("image storage", quick, [packages], removeLeftovers);
  const base = (name: BaseName) =>
    steps.add(`Debian ${name}`, { seconds: 25, cpuSeconds: 22 }, [storage], (report) =>
      ensureBase(name, report),
    );
  const bases: Record<string, Step<unknown>> = { bookworm: base("bookworm"), sid: base("sid") };
  const node = steps.add(
    "node",
    { seconds: 2, cpuSeconds: 1 },
    [runtime, packages],
    (report, toolchain) => ensureRuntime(toolchain, report),
  );

  const built: Step<unknown>[] = [];
  const addImage = (recipe: Recipe): Step<string> => {
    const from = recipe.base ? (bases[recipe.base] as Step<unknown>) : storage;
    const compiled = [...added]
      .filter(([{ programs }]) =>
        recipe.programs?.some((program) => Object.values(programs).flat().includes(program)),
      )
      .map(([, step]) => step);
    const image = steps.add(
      `image ${recipe.name}`,
      recipe.cost,
      [from, ...compiled],
      async (report, _, ...parts) => ensureImage(recipe, Object.assign({}, ...parts), report),
    );
    bases[recipe.name] = image;
    built.push(image);
    const cost = { seconds: recipe.cost.seconds / 3, cpuSeconds: recipe.cost.cpuSeconds / 3 };
    return steps.add(
      `load ${recipe.name}`,
      cost,
      [runtime, node, image, ...compiled],
      (report, toolchain, _node, _image, ...parts) =>
        loadImage(recipe, Object.assign({}, toolchain, ...parts), report),
    );
  };
  const loaded = Object.fromEntries(
    recipes.map((recipe) => [recipe.name, addImage(recipe)]),
  ) as Record<ImageName, Step<string>>;
  const keda = autoscale ? addImage(kedaRecipe) : undefined;
  steps.add("replaced images", quick, built, removeReplaced);

  const controlPlane = steps.add(
    "control plane",
    { seconds: 8, cpuSeconds: 10 },
    [runtime, kubernetes, network, loaded.addons, loaded.pause],
    async (report, first, second, third, addons) => {
      const programs = { ...first, ...second, ...third } as Toolchain;
      await ensureControlPlane(programs, addons, report);
      return programs;
    },
  );
  steps.add("alert sink", quick, [controlPlane, loaded.api], (_, programs, api) =>
    applyObjects(programs, renderAlertSink(api)),
  );
  const cluster = steps.add(
    "cluster",
    { seconds: 5, cpuSeconds: 2 },
    [controlPlane],
    (_, programs) => untilPodsRun(programs),
  );
  const images = steps.add(
    "images",
    quick,
    Object.values(loaded),
    async (_, ...references) =>
      Object.fromEntries(
        Object.keys(loaded).map((name, index) => [name, references[index]]),
      ) as ImageReferences,
  );
  const toolchain = gather(steps, added);
  const scaled =
    keda &&
    steps.add(
      "KEDA",
      { seconds: 50, cpuSeconds: 5 },
      [cluster, toolchain, keda],
      (report, _cluster, programs, image) => ensureKeda(programs, image, report),
    );
  return { toolchain, images, controlPlane: scaled ?? controlPlane, cluster };
}
