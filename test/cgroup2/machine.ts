import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { UserError } from "../../local/errors";
import { cache } from "../../local/paths";
import type { Report } from "../../local/progress";
import { attempt, run } from "../../local/run";

/** Debian packages of the virtual machine and of its kernel's modules. */
export const packages = ["busybox-static", "e2fsprogs", "kmod", "qemu-system-x86"];

/** A Debian kernel, unpacked and not installed. */
export interface Kernel {
  version: string;
  /** Holds boot/ and lib/modules/. */
  root: string;
}

/** Debian's generic kernel: the smaller one for clouds has no 9p. */
const kernelPackage = "linux-image-amd64";
const kernels = join(cache, "linux");

/** What the kernel loads before it sees the host's file system; later it finds modules by itself. */
const firstModules = "virtio_pci 9pnet_virtio 9p virtio_blk crc32c_generic ext4 overlay".split(" ");

/** no_timer_check: on a busy machine the timer comes too late for the kernel's check of it. */
const kernelParameters = "console=ttyS0 quiet panic=-1 mitigations=off no_timer_check";

export async function ensureKernel(report: Report): Promise<Kernel> {
  if (!existsSync(kernels)) {
    report("downloading");
    await download();
  }
  const [version] = readdirSync(join(kernels, "lib/modules")) as [string];
  return { version, root: kernels };
}

async function download(): Promise<void> {
  const partial = `${kernels}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  await run("apt-get", ["update", "-q"], { quietSeconds: 120 });
  const depends = await run("apt-cache", ["depends", kernelPackage]);
  const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
  if (!name) {
    throw new UserError(
      `no package ${kernelPackage} here`,
      "run it on Debian for x86-64; a machine whose own cgroups are v2 tests them by npm test",
    );
  }
  await run("apt-get", ["download", "-q", name], { cwd: partial, quietSeconds: 120 });
  const [archive] = readdirSync(partial) as [string];
  await run("dpkg-deb", ["-x", archive, "."], { cwd: partial });
  const [version] = readdirSync(join(partial, "lib/modules")) as [string];
  await run("depmod", ["-b", partial, version]);
  renameSync(partial, kernels);
}

/** First process of the machine: the host's file system with a disk for what is written above it. */
export function renderInit(kernel: Kernel, script: string, settings: string): string {
  return `#!/busybox sh
set -eu
b=/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs dev /dev
$b modprobe -a ${firstModules.join(" ")}
$b mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose host /host
$b mount -t ext4 /dev/vda /disk
$b mkdir /disk/upper /disk/work /disk/state
$b mount -t overlay -o lowerdir=/host,upperdir=/disk/upper,workdir=/disk/work overlay /root
$b mkdir -p /root/state /root/lib/modules
$b mount --bind /disk/state /root/state
$b mount --bind /host${kernel.root}/lib/modules /root/lib/modules
$b mount -t tmpfs run /root/run
for mount in proc sys dev; do $b mount --move /$mount /root/$mount; done
exec $b switch_root /root /bin/sh ${script} ${settings} ${process.execPath}
`;
}

/** @returns the exit status of the script that the machine ran */
export async function boot(
  kernel: Kernel,
  directory: string,
  script: string,
  settings: string,
): Promise<number> {
  const disk = join(directory, "disk");
  await run("truncate", ["--size=8G", disk]);
  await run("mke2fs", ["-q", "-F", "-t", "ext4", "-O", "^has_journal", disk]);
  const initrd = await makeInitrd(kernel, directory, renderInit(kernel, script, settings));
  const { output, stalled } = await attempt(
    "qemu-system-x86_64",
    [
      // KVM is not everywhere, and where it is nested a guest may hang.
      ...["-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "3G"],
      ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-net", "none"],
      ...["-kernel", join(kernel.root, "boot", `vmlinuz-${kernel.version}`), "-initrd", initrd],
      ...["-append", kernelParameters, "-serial", "stdio"],
      "-virtfs",
      "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap",
      ...["-drive", `file=${disk},if=virtio,format=raw,cache=unsafe`],
    ],
    { quietSeconds: 300, onOutput: (chunk) => process.stdout.write(chunk) },
  );
  if (stalled) console.error("the virtual machine said nothing for five minutes");
  return Number(/^exit status (\d+)/m.exec(output)?.[1] ?? 1);
}

async function makeInitrd(kernel: Kernel, directory: string, init: string): Promise<string> {
  const root = join(directory, "initrd");
  for (const mountPoint of ["proc", "sys", "dev", "disk", "host", "root"]) {
    mkdirSync(join(root, mountPoint), { recursive: true });
  }
  copyFileSync("/bin/busybox", join(root, "busybox"));
  const modules = await run("modprobe", [
    ...["-d", kernel.root, "-S", kernel.version, "--show-depends", "-a", ...firstModules],
  ]);
  for (const [, module] of modules.matchAll(/^insmod (\S+)/gm)) {
    const copy = join(root, relative(kernel.root, module as string));
    mkdirSync(dirname(copy), { recursive: true });
    copyFileSync(module as string, copy);
  }
  await run("depmod", ["-b", root, kernel.version]);
  const file = join(root, "init");
  writeFileSync(file, init);
  chmodSync(file, 0o755);
  const initrd = join(directory, "initrd.cpio");
  await run("sh", ["-euc", `find . | busybox cpio -o -H newc >${initrd}`], { cwd: root });
  return initrd;
}
