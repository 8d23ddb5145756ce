// A bucket's own rules that remove or move objects, compared with the retention of the log.
import type { LifecycleRule } from "@aws-sdk/client-s3";
import { plural } from "../output/format.ts";
import { ask, type BucketAccess, type Keeping, unlearnt } from "./bucket-settings.ts";
import { type Finding, good, look, wrong } from "./finding.ts";

/** Classes whose objects cannot be read before they are restored. */
const FROZEN: readonly string[] = ["GLACIER", "DEEP_ARCHIVE"];

/** Lifecycle rules that the bucket applies to the log's objects. */
export async function examineLifecycle(access: BucketAccess, keeping: Keeping): Promise<Finding[]> {
  const { sdk, client, bucket: Bucket } = access;
  const answer = await ask(
    client.send(new sdk.GetBucketLifecycleConfigurationCommand({ Bucket })),
    "NoSuchLifecycleConfiguration",
  );
  if (answer.state !== "answered")
    return [unlearnt("lifecycle", answer, "s3:GetLifecycleConfiguration")];
  const rules = (answer.value?.Rules ?? []).filter(
    (rule) => rule.Status === "Enabled" && concerns(rule, access.prefix),
  );
  const findings = rules.flatMap((rule) => [...removals(rule, keeping), ...moves(rule)]);
  return findings.length > 0
    ? findings
    : [good("lifecycle", "the bucket removes nothing of the log by itself")];
}

/** Also a rule about a part of the log. */
function concerns(
  { Filter, Prefix }: LifecycleRule & { readonly Prefix?: string | undefined },
  prefix: string,
): boolean {
  const own = Filter?.Prefix ?? Filter?.And?.Prefix ?? Prefix ?? "";
  return prefix.startsWith(own) || own.startsWith(prefix);
}

function removals(rule: LifecycleRule, { days: kept, floor }: Keeping): Finding[] {
  const name = nameOf(rule);
  const { Days: days, Date: date } = rule.Expiration ?? {};
  if (date !== undefined) {
    const message = `${name} removes everything on ${date.toISOString().slice(0, 10)}, whatever its age`;
    return [wrong("lifecycle", message, "let it expire objects by their days, or remove it")];
  }
  if (days === undefined) return [];
  const message = `${name} removes objects after ${plural(days, "day")}`;
  if (floor !== undefined && days < floor) {
    return [
      wrong("lifecycle", `${message}, and ${floor} days are the legal minimum`, "raise its days"),
    ];
  }
  if (days <= kept) {
    return [
      wrong(
        "lifecycle",
        `${message}, and retention is ${kept}`,
        `raise its days to ${kept + 1} at least`,
      ),
    ];
  }
  return [
    look(
      "lifecycle",
      message,
      `the verifier calls them MISSING, unless the writer has expiresDays: ${days}`,
    ),
  ];
}

function moves(rule: LifecycleRule): Finding[] {
  const move = rule.Transitions?.find(({ StorageClass }) => FROZEN.includes(StorageClass ?? ""));
  if (move === undefined) return [];
  const when = move.Days === undefined ? "" : ` after ${plural(move.Days, "day")}`;
  return [
    look(
      "lifecycle",
      `${nameOf(rule)} moves objects to ${move.StorageClass ?? ""}${when}: they cannot be read or verified there`,
      "restore them before verifying, or move them to GLACIER_IR, which is read at once",
    ),
  ];
}

function nameOf({ ID = "" }: LifecycleRule): string {
  return ID === "" ? "a rule without a name" : `the rule ${JSON.stringify(ID)}`;
}
