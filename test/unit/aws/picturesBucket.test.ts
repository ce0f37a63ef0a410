import { expect, test } from "vitest";
import { PicturesBucket } from "../../../components/aws/picturesBucket";
import { accepted } from "../../golden/stacks";
import { declared } from "../declared";

const lifecycle = async (keepDays: number) => {
  const { inputs } = await declared(
    () => new PicturesBucket("pictures-bucket", { keepDays, protect: true }),
  );
  return inputs["pictures-bucket-lifecycle"]?.rules as Record<string, unknown>[];
};

test.each(["outputs/", "inputs/"])(
  "%s is deleted after as many days as retention.pictures says",
  async (prefix) => {
    expect(await lifecycle(90)).toContainEqual(
      expect.objectContaining({ filter: { prefix }, expiration: { days: 90 } }),
    );
  },
);

test("pictures are kept for ever where it is 0; what was never whole is not", async () => {
  const rules = await lifecycle(0);
  expect(rules.filter((rule) => "expiration" in rule)).toEqual([]);
  expect(rules).toContainEqual(
    expect.objectContaining({ abortIncompleteMultipartUpload: { daysAfterInitiation: 7 } }),
  );
});

test("the bucket stays when the stack is destroyed, with all that guards it", () => {
  const ofBucket = Object.entries(accepted("alternatives")).filter(([name]) =>
    name.startsWith("pictures-bucket-"),
  );
  expect(ofBucket).toHaveLength(6);
  for (const [, resource] of ofBucket) expect(resource).toMatchObject({ retainOnDelete: true });
});
