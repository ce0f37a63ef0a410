import { expect, test } from "vitest";
import { parse } from "yaml";
import { autoscaled } from "../../../local/autoscaling";
import { renderKustomization } from "../../../local/cluster/released";

test("an operator runs from the image that the node has, which is never pulled", () => {
  const image = "localhost/image-service/keda@sha256:12";
  const names = ["ghcr.io/kedacore/keda", "ghcr.io/kedacore/keda-metrics-apiserver"];
  const { images, patches } = renderKustomization("../released", names, image) as {
    images: object[];
    patches: { patch: string }[];
  };
  expect(images).toEqual(
    names.map((name) => ({
      name,
      newName: "localhost/image-service/keda",
      digest: "sha256:12",
    })),
  );
  expect(parse(patches[0]?.patch ?? "")[0].value).toBe("IfNotPresent");
});

test("the scaled local workers differ from the committed ones in their number alone", () => {
  expect(autoscaled(4)).toEqual({
    workers: expect.objectContaining({
      model: "tiny-sdxl",
      autoscaling: expect.objectContaining({ min: 0, max: 4 }),
    }),
  });
});
