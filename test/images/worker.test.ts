import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildah, imageTag } from "../../local/images";
import { repository } from "../../local/paths";
import { pack } from "../bench/gpu/pack";
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

test("a packed GPU benchmark runs by one command, on a CPU with the tiny model", async () => {
  const directory = mkdtempSync(join(tmpdir(), "gpu-benchmark-"));
  try {
    pack(directory, "3.11");
    // The image runs as a user of its own.
    chmodSync(directory, 0o755);
    const volume = ["--volume", `${directory}:/packed:ro`];
    const output = await inside(volume, "/packed/run", "--quick", "--minutes", "30");
    const lines = output.trim().split("\n");
    const figures = lines.map((line) => (JSON.parse(line) as { figure: string }).figure);
    expect(figures).toContain("worker, 2 steps, batch 1");
    expect(figures.at(-1)).toBe("worker against diffusers + compile, 2 steps, batch 2");
  } finally {
    rmSync(directory, { recursive: true });
  }
});
