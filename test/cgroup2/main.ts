import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { UserError } from "../../local/errors";
import { buildah, imageTag } from "../../local/images";
import { ensurePackages } from "../../local/packages";
import { Progress } from "../../local/progress";
import { interrupt } from "../../local/run";
import { addToolchain, gather } from "../../local/setup";
import { Steps } from "../../local/steps";
import { builds } from "../../local/toolchain/builds";
import { boot, ensureKernel, packages } from "./machine";
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
  const steps = new Steps();
  const debian = steps.add("packages", { seconds: 30, cpuSeconds: 10 }, [], async (report) => {
    await ensurePackages(report);
    await ensurePackages(report, packages);
  });
  const toolchain = gather(steps, addToolchain(steps, builds));
  const kernel = steps.add("kernel", { seconds: 15, cpuSeconds: 10 }, [debian], ensureKernel);
  const archive = join(directory, "image.tar");
  const image = steps.add("image", { seconds: 5, cpuSeconds: 3 }, [debian], async (report) => {
    report("building");
    const tag = imageTag("cgroup2");
    const build = ["bud", "--timestamp", "0", "--build-context", "host=/usr/bin", "--tag", tag];
    await buildah("image-cgroup2", [...build, __dirname]);
    // The sandbox's image as well, by the name that containerd's configuration has for it.
    const name = imageTag("pause");
    const archived = `oci-archive:${archive}:${name}`;
    await buildah("image-cgroup2", ["push", "--disable-compression", tag, archived]);
    return name;
  });
  steps.add(
    "virtual machine",
    { seconds: 200, cpuSeconds: 380 },
    [toolchain, kernel, image],
    async (report, programs, booted, name) => {
      report("running");
      const settings: Settings = { toolchain: programs, image: name, archive };
      const settingsFile = join(directory, "settings.json");
      writeFileSync(settingsFile, JSON.stringify(settings));
      const status = await boot(booted, directory, join(__dirname, "guest.sh"), settingsFile);
      if (status !== 0) process.exitCode = 1;
    },
  );
  await steps.run(new Progress());
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupt.abort());

main().catch((error: Error) => {
  console.error(
    error instanceof UserError ? `\nerror: ${error.message}\nfix:   ${error.fix}` : error,
  );
  process.exitCode = interrupt.signal.aborted ? 130 : 1;
});
