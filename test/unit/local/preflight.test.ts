import { expect, test } from "vitest";
import { type Machine, preflight } from "../../../local/preflight";

const fitting: Machine = {
  platform: "linux",
  uid: 0,
  controllers: ["cpu", "cpuset", "memory", "pids"],
  cgroupsWritable: true,
  memory: 8e9,
  disk: 30e9,
  builtBefore: false,
  overlayfs: true,
};

test("a machine that fits is taken, and one whose disk the stack already uses", () => {
  expect(() => preflight(fitting)).not.toThrow();
  expect(() => preflight({ ...fitting, disk: undefined })).not.toThrow();
  expect(() => preflight({ ...fitting, disk: 10e9, builtBefore: true })).not.toThrow();
});

test.each<[Partial<Machine>, string]>([
  [{ platform: "darwin" }, "needs Linux, this is darwin"],
  [{ uid: 1000 }, "needs root (this is uid 1000)"],
  [{ controllers: ["cpu"] }, "no cgroup controller memory, pids"],
  [{ cgroupsWritable: false }, "/sys/fs/cgroup is read-only"],
  [{ memory: 7.9e9 }, "7.9 GB of memory, 8 GB are needed"],
  [{ disk: 24e9 }, "24.0 GB free on the disk of /var/lib, 30 GB are needed"],
  [{ disk: 9e9, builtBefore: true }, "9.0 GB free on the disk of /var/lib, 10 GB are needed"],
  [{ overlayfs: false }, "the kernel has no overlayfs"],
])("a machine with %o is refused with what is missing", (difference, message) => {
  expect(() => preflight({ ...fitting, ...difference })).toThrow(message);
});
