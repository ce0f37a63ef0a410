import { ensureCluster, ensureRuntime } from "./cluster";
import {
  ensureBase,
  ensureImage,
  type ImageReferences,
  loadImage,
  removeLeftovers,
  removeReplaced,
} from "./images";
import { type BaseName, type ImageName, type Recipe, recipes } from "./images/recipes";
import { ensurePackages } from "./packages";
import type { Step, Steps } from "./steps";
import { downloadModule, findBuild, makeBuild, removeGoCaches, type Toolchain } from "./toolchain";
import { type Build, builds } from "./toolchain/builds";

type BuildStep = Step<Partial<Toolchain>>;

const quick = { seconds: 0.1, cpuSeconds: 0.1 };

/** Steps that end with every program in the cache; compiling goes one by one, on all cores. */
export function addToolchain(steps: Steps, wanted: readonly Build[]): Map<Build, BuildStep> {
  const added = new Map<Build, BuildStep>();
  const download = steps.add("Go modules", { seconds: 17, cpuSeconds: 27 }, [], async (report) => {
    const found = await Promise.all(wanted.map(findBuild));
    const missing = wanted.filter((_, index) => !found[index]);
    if (missing.length > 0) report("downloading");
    await Promise.all([...new Set(missing.map(({ module }) => module))].map(downloadModule));
  });
  let previous: Step<unknown> = download;
  for (const build of wanted) {
    const cost = { seconds: build.cpuSeconds / 2, cpuSeconds: build.cpuSeconds };
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
 */
export function addCluster(
  steps: Steps,
  more: readonly Build[] = [],
): { toolchain: Step<Toolchain>; images: Step<ImageReferences>; cluster: Step<void> } {
  const packages = steps.add("packages", { seconds: 20, cpuSeconds: 8 }, [], ensurePackages);
  const added = addToolchain(steps, [...builds, ...more]);
  const [runtime, kubernetes] = [...added.values()] as [BuildStep, BuildStep];

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
  const loaded = {} as Record<ImageName, Step<string>>;
  for (const recipe of recipes as readonly Recipe[]) {
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
    const cost = { seconds: recipe.cost.seconds / 6, cpuSeconds: recipe.cost.cpuSeconds / 6 };
    loaded[recipe.name as ImageName] = steps.add(
      `load ${recipe.name}`,
      cost,
      [runtime, node, image, ...compiled],
      (report, toolchain, _node, _image, ...parts) =>
        loadImage(recipe, Object.assign({}, toolchain, ...parts), report),
    );
  }
  steps.add("replaced images", quick, built, removeReplaced);

  const cluster = steps.add(
    "cluster",
    { seconds: 12, cpuSeconds: 12 },
    [runtime, kubernetes, loaded.addons, loaded.pause],
    (report, first, second, addons) =>
      ensureCluster({ ...first, ...second } as Toolchain, addons, report),
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
  return { toolchain: gather(steps, added), images, cluster };
}
