import { run } from "../../local/run";

/** The source of a Go module in a version, as Go's checksum database knows it. @returns its folder */
export async function sourceOf(module: string, version: string, scratch: string): Promise<string> {
  const download = ["mod", "download", "-json", `${module}@${version}`];
  return JSON.parse(await run("go", download, { cwd: scratch })).Dir;
}
