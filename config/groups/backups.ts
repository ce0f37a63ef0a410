import { z } from "zod";
import { group, quantity, resources } from "../fields";

export const backups = group("The nightly backup", {
  schedule: z
    .string()
    .regex(/^(\S+ ){4}\S+$/, "must be cron's five fields, like 0 2 * * *")
    .default("0 2 * * *")
    .describe("When, in cron's five fields"),
  timeZone: z
    .string()
    .refine((zone) => [...Intl.supportedValuesOf("timeZone"), "Etc/UTC"].includes(zone), {
      error: "must be an IANA time zone like Europe/Berlin",
    })
    .default("Etc/UTC")
    .describe("Whose clock the schedule follows"),
  scratch: quantity("10Gi").describe("Room for one dump of the database"),
  managed: z
    .boolean()
    .default(false)
    .describe("A locked bucket of AWS instead of one in the cluster, which dies with it"),
  lockDays: z.int().min(1).default(14).describe("Days in which nobody deletes a backup"),
  keepDays: z
    .int()
    .min(1)
    .default(35)
    .describe("Days that dumps are kept, and that one can go back to any minute of"),
  resources: resources("50m", "64Mi", "512Mi"),
});
