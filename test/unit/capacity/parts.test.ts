import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { partsTable } from "../../../capacity/parts";
import { repository } from "../../../local/paths";

test("the documents' table of what 1 to 1,000 GPUs need is the one that is computed", () => {
  const page = readFileSync(join(repository, "docs/reference/sizes.md"), "utf8");
  expect(page).toContain(partsTable());
});
