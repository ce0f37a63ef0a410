import { expect, test } from "vitest";
import { ApiError } from "../../../local/kubernetes-plugin/errors";

const message = (status: object) =>
  new ApiError({ code: 422, ...status }, "Deployment n/web").message;

test("names the object, every field and the server's reasons", () => {
  const causes = [
    { field: "spec.replicas", message: "Invalid value: -1", reason: "FieldValueInvalid" },
    { field: "spec.selector", message: "Required value", reason: "FieldValueRequired" },
  ];
  expect(message({ message: "…", details: { causes } })).toBe(
    "Deployment n/web: spec.replicas: Invalid value: -1; spec.selector: Required value (422)",
  );
});

test.each([
  [
    { code: 409, details: { causes: [{ reason: "FieldManagerConflict", message: "x" }] } },
    "patchForce",
  ],
  [{ code: 422, message: "field is immutable" }, "Replace the resource"],
  [{ code: 404, details: { kind: "namespaces" } }, "Create the namespace first"],
  [{ code: 404, details: { kind: "deployments" } }, "pulumi refresh"],
  [{ code: 403, message: "User x cannot create" }, "Grant"],
  [{ code: 401 }, "credentials"],
])("%j: says what to do", (status, fix) => {
  expect(message(status)).toContain(fix);
});
