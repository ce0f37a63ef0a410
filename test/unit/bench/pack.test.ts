import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repository } from "../../../local/paths";
import { neededBesideTorch } from "../../bench/gpu/pack";

const lock = readFileSync(join(repository, "docker/service/requirements/worker.txt"), "utf8");

test("a packed benchmark has the worker's own versions, and nothing that comes with torch", () => {
  const packed = neededBesideTorch(lock);
  const names = [...packed.matchAll(/^([a-z0-9-]+)==/gm)].map(([, name]) => name);
  expect(names).toEqual(expect.arrayContaining(["diffusers", "transformers", "numpy", "obstore"]));
  expect(names).not.toContain("torch");
  expect(packed).not.toMatch(/nvidia|triton/);
  const diffusers = /^diffusers==[\s\S]*?(?=\n[a-z])/m.exec(lock)?.[0];
  expect(diffusers).toContain("--hash=sha256:");
  expect(packed).toContain(diffusers);
});
