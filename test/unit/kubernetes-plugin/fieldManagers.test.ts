import { expect, test } from "vitest";
import { takeOver } from "../../../local/kubernetes-plugin/fieldManagers";

const entry = (manager: string, operation: string, fieldsV1: object, subresource?: string) => ({
  manager,
  operation,
  fieldsV1,
  subresource,
});

test("fields of kubectl and of a client-side create become ours", () => {
  const managedFields = [
    entry("kubectl-create", "Update", { "f:data": { "f:a": {} } }),
    entry("pulumi-kubernetes", "Update", { "f:metadata": {} }),
    entry("ours", "Apply", { "f:data": { "f:b": {} } }),
    entry("controller", "Update", { "f:status": {} }),
  ];
  expect(takeOver(managedFields, "ours")).toEqual([
    managedFields[3],
    entry("ours", "Apply", { "f:data": { "f:a": {}, "f:b": {} }, "f:metadata": {} }),
  ]);
});

test("nothing is taken from controllers, subresources or other appliers", () => {
  const managedFields = [
    entry("ours", "Apply", {}),
    entry("other", "Apply", {}),
    entry("kube-controller-manager", "Update", {}),
    entry("kubectl", "Update", {}, "scale"),
  ];
  expect(takeOver(managedFields, "ours")).toBeUndefined();
  expect(takeOver(undefined, "ours")).toBeUndefined();
});
