import assert from "node:assert/strict";
import { cgroupRoot } from "../../local/cluster/cgroups";
import { ensureNode, findHolder, inNode, stopNode } from "../../local/cluster/node";
import { preflight } from "../../local/preflight";
import { children, read } from "./groups";

// Runs in the virtual machine, in a container of guest.ts.

const scenarios: Record<string, () => unknown> = {
  "no-memory": () => assert.throws(preflight, /no cgroup controller memory/),
  "read-only": () => assert.throws(preflight, /\/sys\/fs\/cgroup is read-only/),
  node: async () => {
    const processes = read("/", "cgroup.procs");
    assert.notEqual(processes, "");
    await ensureNode(() => {});
    const holder = findHolder();
    assert.ok(holder);
    await inNode(holder.pid, "true");
    for (const controller of ["cpu", "memory", "pids"]) {
      assert.match(read(`${cgroupRoot}/node`, "cgroup.controllers"), new RegExp(controller));
    }
    await stopNode();
    assert.equal(read("/", "cgroup.procs"), processes);
    assert.equal(read("/", "cgroup.subtree_control"), "");
    assert.deepEqual(children("/"), []);
  },
};

const [, , name = ""] = process.argv;
scenarios[name]?.();
