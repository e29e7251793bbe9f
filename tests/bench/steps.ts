// What is measured, in the order in which a round does it. A step that is not asked for is left out
// unless a later one needs what it leaves behind.
import type { BodyKind } from "./bodies.ts";
import { kFew } from "./bodies.ts";

export const kSteps = [
  "import_new",
  "import_unchanged",
  "sync_new",
  "sync_unchanged",
  "import_1_percent",
  "sync_1_percent",
  "import_few",
  "sync_few",
  "import_all",
  "sync_all",
  "list",
  "clean_up",
] as const;
export type Step = (typeof kSteps)[number];

export const kLabels: Record<Step, string> = {
  import_new: "import, new",
  import_unchanged: "import, unchanged",
  import_1_percent: "import, 1 % changed",
  import_few: `import of ${kFew}, all changed`,
  import_all: "import, all changed",
  sync_new: "sync, new",
  sync_unchanged: "sync, unchanged",
  sync_1_percent: "sync, 1 % changed",
  sync_few: `sync, ${kFew} changed`,
  sync_all: "sync, all changed",
  list: "list, all rows",
  clean_up: "clean-up of all snapshots",
};

/** What an import sends. */
export const kBodyOf: Partial<Record<Step, BodyKind>> = {
  import_new: "new",
  import_unchanged: "new",
  import_1_percent: "changed_1_percent",
  import_few: "few_changed",
  import_all: "all_changed",
};

/**
 * The steps to run for those that are asked for. An import that a round does is synced before the
 * next sync counts.
 */
export function withNeeded(asked: ReadonlySet<Step>): Step[] {
  const needed = new Set<Step>(asked).add("import_new");
  // What makes a snapshot of every row on either side.
  if (needed.has("clean_up")) needed.add("import_all").add("sync_all");
  const syncs = kSteps.filter((step) => needed.has(step) && /^(sync|list)/.test(step));
  const last = syncs.at(-1);
  if (last !== undefined) needed.add("sync_new");
  for (const step of syncs) {
    const before = step.replace("sync", "import") as Step;
    if (step !== "sync_unchanged" && kSteps.includes(before)) needed.add(before);
  }
  for (const step of kSteps) {
    const after = step.replace("import", "sync") as Step;
    const isFollowed = last !== undefined && kSteps.indexOf(after) < kSteps.indexOf(last);
    if (needed.has(step) && step !== "import_unchanged" && isFollowed) needed.add(after);
  }
  return kSteps.filter((step) => needed.has(step));
}

export interface Counts {
  created: number;
  updated: number;
  skipped: number;
}

/**
 * What the answers of a step must add up to. An import of a few carries no others, so it skips
 * none.
 */
export function expectedCounts(step: Step, size: number): Counts {
  const few = Math.min(kFew, size);
  const updates: Record<Step, number> = {
    import_new: 0,
    import_unchanged: 0,
    import_1_percent: Math.ceil(size / 100),
    import_few: few,
    import_all: size,
    sync_new: 0,
    sync_unchanged: 0,
    sync_1_percent: Math.ceil(size / 100),
    sync_few: few,
    sync_all: size,
    list: 0,
    clean_up: 0,
  };
  if (step === "clean_up") return { created: 0, updated: 0, skipped: 0 };
  if (step.endsWith("_new")) return { created: size, updated: 0, skipped: 0 };
  const updated = updates[step];
  return { created: 0, updated, skipped: step === "import_few" ? 0 : size - updated };
}
