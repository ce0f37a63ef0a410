/**
 * A key as the Pulumi CLI writes it, like aws.tags["a.b"] or aws.subnetIds[1].
 * https://github.com/pulumi/pulumi/blob/v3.230.0/sdk/go/common/resource/property_path.go, ParsePropertyPath
 */
export const keyPath = (path: PropertyKey[]): string =>
  path.map((part, index) => (index === 0 ? String(part) : step(part))).join("");

function step(part: PropertyKey): string {
  if (typeof part === "number") return `[${part}]`;
  const name = String(part);
  return /^[\w-]+$/.test(name) ? `.${name}` : `["${name.replaceAll('"', '\\"')}"]`;
}

/** The same as an argument of `pulumi config set` and `rm`, for a shell. */
export function keyArgument(path: PropertyKey[]): string {
  const key = keyPath(path);
  const quoted = /^[\w.-]+$/.test(key) ? key : `'${key.replaceAll("'", "'\\''")}'`;
  return path.length > 1 ? `--path ${quoted}` : quoted;
}
