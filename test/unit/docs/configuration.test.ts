import { expect, test } from "vitest";
import { read, rendered } from "../../../docs/configuration";

test.each(Object.entries(rendered))(
  "%s is up to date; else: npm run config-docs",
  (file, render) => {
    expect(read(file)).toBe(render(read(file)));
  },
);
