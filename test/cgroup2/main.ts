import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { UserError } from "../../local/errors";
import { buildah, imageTag } from "../../local/images";
import { ensurePackages } from "../../local/packages";
import { Progress } from "../../local/progress";
import { interrupt } from "../../local/run";
import { ensureToolchain, type Toolchain } from "../../local/toolchain";
import { boot, ensureKernel, type Kernel, packages } from "./machine";
import type { Settings } from "./settings";

const help = `npm run test:cgroup2    the node on cgroup v2, in a virtual machine that changes nothing here

Boots Debian's kernel in QEMU without KVM, this file system read-only beneath, and runs there the
node's own containerd and kubelet with pods: their limits, the kernel's OOM killer, what the node
leaves behind, a container with a cgroup namespace of its own. Takes root, 3 GB of memory and about
four minutes on two cores.
`;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { help: { type: "boolean", short: "h" } } });
  if (values.help) return console.log(help);
  const directory = mkdtempSync(join(tmpdir(), "image-service-cgroup2-"));
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  const progress = new Progress(5);
  let toolchain = {} as Toolchain;
  let kernel = {} as Kernel;
  await progress.phase("packages", 30, async () => {
    const node = await ensurePackages();
    return (await ensurePackages(packages)) && node;
  });
  await progress.phase("toolchain", 840, async (report) => {
    const built = await ensureToolchain(report);
    toolchain = built.toolchain;
    return built.cached;
  });
  await progress.phase("kernel", 15, async () => {
    const found = await ensureKernel();
    kernel = found.kernel;
    return found.cached;
  });
  const archive = join(directory, "image.tar");
  const tag = imageTag("cgroup2");
  await progress.phase("image", 5, async () => {
    const build = ["bud", "--timestamp", "0", "--build-context", "host=/usr/bin", "--tag", tag];
    await buildah("image-cgroup2", [...build, __dirname]);
    await buildah("image-cgroup2", [
      "push",
      "--disable-compression",
      tag,
      `oci-archive:${archive}:${tag}`,
    ]);
    return false;
  });
  const settings: Settings = { toolchain, image: tag, archive };
  const settingsFile = join(directory, "settings.json");
  writeFileSync(settingsFile, JSON.stringify(settings));
  await progress.phase("virtual machine", 200, async () => {
    const status = await boot(kernel, directory, join(__dirname, "guest.sh"), settingsFile);
    if (status !== 0) process.exitCode = 1;
    return false;
  });
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupt.abort());

main().catch((error: Error) => {
  console.error(
    error instanceof UserError ? `\nerror: ${error.message}\nfix:   ${error.fix}` : error,
  );
  process.exitCode = interrupt.signal.aborted ? 130 : 1;
});
