import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse } from "yaml";
import { attempt } from "../../local/run";
import { ensureToolchain } from "../../local/toolchain";
import type { Props } from "../../policy/resource";

/** A CustomResourceDefinition, which says of an object whether the API server would take it. */
export class Definition {
  private constructor(
    private readonly kubeconform: string,
    private readonly scratch: string,
    private readonly schema: string,
  ) {}

  /** @param version like v1; @param scratch a folder to write to */
  static async read(file: string, version: string, scratch: string): Promise<Definition> {
    const { versions } = parse(readFileSync(file, "utf8")).spec;
    const { schema } = (versions as Props[]).find(({ name }) => name === version) as Props;
    const path = join(scratch, `${basename(file)}.json`);
    writeFileSync(path, JSON.stringify(strict(schema.openAPIV3Schema)));
    const { kubeconform } = await ensureToolchain(() => {}, ["kubeconform"]);
    return new Definition(kubeconform, scratch, path);
  }

  /** @returns what it refuses of an object; "": nothing */
  async refuses(object: Props): Promise<string> {
    const file = join(this.scratch, "object.json");
    writeFileSync(file, JSON.stringify(object));
    const args = ["-strict", "-schema-location", this.schema, file];
    const { status, stdout } = await attempt(this.kubeconform, args);
    return status === 0 ? "" : stdout;
  }
}

/** As the API server takes it: what a schema doesn't name is an error of `kubectl apply`. */
function strict(schema: Props): Props {
  if (typeof schema !== "object" || schema === null) return schema;
  const inner = Array.isArray(schema)
    ? schema.map(strict)
    : Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, strict(value)]));
  const closed = inner as Props;
  const isObject = closed.properties && !closed.properties.properties;
  return isObject && !closed["x-kubernetes-preserve-unknown-fields"]
    ? { additionalProperties: false, ...closed }
    : closed;
}
