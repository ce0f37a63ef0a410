import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildah, imageTag } from "../../local/images";
import { repository } from "../../local/paths";
import { run as packed } from "../bench/gpu";
import { run as measure } from "../bench/image";

// In the file system of the worker image, with its own packages; only pytest is brought along.
const service = join(repository, "docker/service");
const environments = join(service, ".venv/lib");
const packages = join(environments, readdirSync(environments)[0] as string, "site-packages");
const pytest =
  "import sys; sys.path.append('/test-packages'); import pytest; sys.exit(pytest.main())";

// Not as buildah names those of builds, which a set-up beside takes for cut off.
const container = "image-test";

const inside = (options: string[], ...command: string[]) =>
  buildah("image-test", [
    // The tiny model's work is too small to share between threads.
    ...["run", "--env", "OMP_NUM_THREADS=1", ...options],
    ...[container, "--", ...command],
  ]);

/** The tests that need torch, but for those that need a compiler, too, which the image lacks. */
const ofModels = () =>
  readdirSync(join(service, "tests"))
    .filter((name) => name.startsWith("test_") && name !== "test_compile_cache.py")
    .map((name) => `tests/${name}`)
    .filter((file) => readFileSync(join(service, file), "utf8").includes("pytest.mark.model"));

const remove = () => buildah("image-test", ["rm", container]);

beforeAll(async () => {
  // What a run left that was cut off.
  await remove().catch(() => {});
  await buildah("image-test", ["from", "--name", container, imageTag("worker")]);
});

afterAll(remove);

test("the trimmed image imports, compiles kernels for every GPU in use and draws", async () => {
  const output = await inside(
    [
      ...["--volume", `${service}:/src:ro`, "--volume", `${packages}:/test-packages:ro`],
      ...["--workingdir", "/src", "--env", "PYTHONPATH=/src"],
    ],
    ...["python", "-c", pytest, "-m", "model", "-p", "no:cacheprovider", ...ofModels()],
  );
  expect(output).not.toContain("skipped");
});

test("the image stays below its limits, unpacked, compressed and per change of code", async () => {
  for (const { figure, value, target } of await measure()) {
    expect(value, figure).toBeLessThan(Number(target?.replace("< ", "")));
  }
});

/** A figure of each part of the plan, with the tiny model on a CPU. */
const ofEachPart = [
  "start, cold cache: ready",
  "worker against diffusers + compile, 2 steps",
  "worker, fp8, 2 steps: PSNR",
  "start, warm cache: ready",
  "worker, 2 steps: in kernels",
  "worker, 320 x 320, 2 steps, batch 2 against 1",
  "worker, step cache, 2 steps: PSNR",
  "worker, fp8, step cache, 2 steps: PSNR",
  "worker, whole, 2 steps: PSNR",
];

test("a packed GPU benchmark runs by one command, in a trimmed copy, too: on a CPU with the tiny model", async () => {
  const directory = mkdtempSync(join(tmpdir(), "gpu-benchmark-"));
  const packages = "/opt/venv/lib/python3.11/site-packages";
  const own = `find ${packages} -newer /packed/run -not -name __pycache__`;
  try {
    const [folder] = await packed(["--pack", directory, "--python", "3.11"]);
    expect(folder?.value).toBeLessThanOrEqual(60);
    // The image runs as a user of its own.
    chmodSync(directory, 0o755);
    const volume = ["--volume", `${directory}:/packed:ro`];
    const measured = async (...options: string[]) => {
      const output = await inside([...volume, "--user", "root"], "/packed/run", ...options);
      const lines = output.trim().split("\n");
      return lines.map((line) => (JSON.parse(line) as { figure: string }).figure);
    };
    const figures = await measured("--quick", "--minutes", "30");
    expect(figures).toEqual(expect.arrayContaining(ofEachPart));
    expect(figures.at(-1)).toBe(ofEachPart.at(-1));
    // What trims wants a compiler, which the image lacks.
    await inside(["--user", "root"], "install-packages", "gcc", "libc6-dev", "python3-dev");
    expect(await measured("--quick", "--only", "trimmed")).toEqual(
      expect.arrayContaining([
        "trimmed: packages",
        "trimmed: start, cold cache: ready",
        "trimmed: worker, fp8, 2 steps: PSNR",
      ]),
    );
    // The machine's own packages are as they were.
    expect(await inside([...volume, "--user", "root"], "sh", "-c", own)).toBe("");
  } finally {
    rmSync(directory, { recursive: true });
  }
});
