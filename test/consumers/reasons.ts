import type { Publisher } from "./site.ts"

/** Why a layout is not for a consumer, by the number that the table shows. */
export const REASONS = {
  1: "It watches a folder by its inode and never watches the path again: after a flip that folder is one of the revision before.",
  2: "It watches a file by its inode and never watches the path again. On a kubelet mount it is deaf after the first change too.",
  3: "`filepath.Walk` follows no links, and a folder of the revision is reached by one. `exchange` shows real folders.",
  4: "It ignores names that begin with a dot, and the flip is a rename of `..data`. It reads everything once in 20 s.",
  5: "Each file is a flip of its own, so several files are not one revision. Nested folders get no later time of their own.",
  6: "It reads several files by their paths, one after the other: a flip in between gives it both revisions. It loads again within a second. Where that is too much, publish one file.",
  7: "It watches the root by its inode, and a flip swaps the root for another folder. `links` keeps the root.",
  8: "The kubelet removes the revision before while it is read: a reader that resolves the link and then reads fails, and has to try again. Prometheus counts that as a reading error, which the table shows as a mixed one.",
  9: "Between two runs entr reads its list of files again; of several flips at that moment it notices the last, or the next one.",
  10: "In thousands of flips without a pause it stops to notice. Paced revisions it notices all.",
} as const

export type Reason = keyof typeof REASONS

interface Rule {
  row: RegExp
  publishers: readonly Publisher[]
  reason: Reason
}

const FOLDER = /a nested folder|the root/
const RULES: readonly Rule[] = [
  { row: /^dnsmasq, hostsdir/, publishers: ["links", "exchange", "kubelet"], reason: 1 },
  {
    row: /^kubelet's static manifests, a nested folder/,
    publishers: ["links", "exchange", "kubelet"],
    reason: 1,
  },
  { row: /^kubelet's static manifests, the root/, publishers: ["links", "kubelet"], reason: 4 },
  { row: /^kubelet's static manifests, the root/, publishers: ["exchange"], reason: 7 },
  { row: /^Prow.*(a nested folder|the root)/, publishers: ["links", "kubelet"], reason: 3 },
  { row: /^Prow/, publishers: ["file"], reason: 5 },
  { row: /^Prow/, publishers: ["links", "exchange", "kubelet"], reason: 6 },
  {
    row: /^(chokidar 3|Python watchdog).* file$/,
    publishers: ["links", "exchange", "file", "kubelet"],
    reason: 2,
  },
  { row: /^chokidar 3.*a nested folder/, publishers: ["links"], reason: 10 },
  { row: /^Go viper.*a nested file/, publishers: ["links", "exchange", "kubelet"], reason: 1 },
  { row: /^Go viper.*a flat file/, publishers: ["exchange"], reason: 7 },
  { row: /^entr, (a nested folder|the root)/, publishers: ["links", "exchange", "file"], reason: 9 },
  { row: /, the root$/, publishers: ["exchange"], reason: 7 },
  { row: /, a nested folder$/, publishers: ["links", "exchange", "kubelet"], reason: 1 },
  { row: FOLDER, publishers: ["kubelet"], reason: 8 },
  { row: /^Prometheus, file_sd/, publishers: ["kubelet"], reason: 8 },
]

/** Why this cell has less than everything; undefined where no reason is known. */
export function reasonOf(row: string, publisher: Publisher): Reason | undefined {
  return RULES.find((rule) => rule.row.test(row) && rule.publishers.includes(publisher))?.reason
}
