import type { ErrorMeanings } from "../foundation/errors.ts"

/** The codes that `reconcile` declares, as docs/reference/errors.md explains them. */
export const reconcileErrors = {
  "adopt/absent": {
    meaning: "The ConfigMap to adopt or detach is not there.",
    cause: "A slip in --target, or it was removed.",
    remedy: "Check the name with kubectl get configmap.",
  },
  "adopt/contended": {
    meaning: "The ConfigMap kept changing while it was to be marked.",
    cause: "Another controller writes it over and over.",
    remedy: "Stop the other writer, and run the command again.",
  },
  "adopt/terminating": {
    meaning: "The ConfigMap to adopt is being deleted; it is left alone.",
    cause: "It was deleted, and a finalizer keeps it for now.",
    remedy:
      "Wait until it is gone, or remove what its finalizers wait for; then run apply, which writes it again.",
  },
  "adopt/unknown-rule": {
    meaning: "No rule of the source has the glob that was given.",
    cause: "A slip in --rule, or the shell expanded the glob.",
    remedy: "Give the glob as it is in the rules, in quotes.",
  },
  "orphans/may-not-remove": {
    meaning: "A ConfigMap that no rule names any more could not be removed; it stays.",
    cause:
      "The account may write named ConfigMaps, and not delete them: the shipped role gives that right apart.",
    remedy: "Bind the ClusterRole headrace-view-pruner in the namespace, or remove the ConfigMap by hand.",
  },
  "words/refused": {
    meaning: "A program with the key could not do what an operator's word says.",
    cause: "As the message states it: what the command itself would print on a machine with the key.",
    remedy: "Follow the code in the message.",
  },
  "words/too-old": {
    meaning: "An operator's word waited for more than a day, and is not obeyed any more.",
    cause: "No program with the signing key was running, or none may read the namespace of signing.words.",
    remedy: "Check that the plugin runs and has its key; then say it again if it still holds.",
  },
  "words/unreadable": {
    meaning: "A ConfigMap in the namespace of operators' words is no word that this version reads.",
    cause: "Another program made it, or a newer headrace-bootstrapper.",
    remedy: "Upgrade the plugin, or remove the ConfigMap.",
  },
  "reconcile/ahead": {
    meaning: "A ConfigMap carries a newer revision than the record knows.",
    cause: "An older record was put back, from a backup for instance.",
    remedy: "Wait: the next run starts an epoch beyond it; headrace-bootstrapper apply is such a run.",
  },
  "reconcile/bad-stamp": {
    meaning:
      "What would be written on a ConfigMap is nothing that Headrace could read again; it is not written.",
    cause: "A clock far ahead of any date gave the record its epoch.",
    remedy: "Set the clock, delete the record, and run headrace-bootstrapper apply, which begins it again.",
  },
  "reconcile/change-too-large": {
    meaning:
      "A change has more new content than `bounds.change`. The targets with the most of it keep what they hold; the others are written.",
    cause: "A merge that adds far more data than the ones before it, or a first run of a large source.",
    remedy:
      "Make the change smaller, or raise `bounds.change`; the next run then writes the targets that wait.",
  },
  "reconcile/changed-on-write": {
    meaning:
      "The API server keeps something else of a ConfigMap than was sent. It holds what the server made of it.",
    cause: "A mutating admission webhook changes ConfigMaps as they are written.",
    remedy: "Exempt the ConfigMap, or its namespace, from the webhook.",
  },
  "reconcile/contended": {
    meaning: "The record kept changing while a reconcile wanted to write it. The next wake-up tries again.",
    cause: "Several writers at once: plugins and a bootstrapper with --direct.",
    remedy: "Wait for the next wake-up; use the lanes in place of --direct when it returns.",
  },
  "reconcile/newer-format": {
    meaning:
      "A ConfigMap was written by a newer Headrace, as far as a lost record lets us know; it is left alone.",
    cause:
      "Another instance was upgraded first, or somebody edited the ConfigMap's annotations while the record was lost.",
    remedy: "Upgrade this program; where no newer one ever ran, run headrace-bootstrapper adopt.",
  },
  "reconcile/not-ours": {
    meaning: "A ConfigMap of that name exists and is neither Headrace's nor Prow's; it is left alone.",
    cause: "Somebody made it by hand or with another tool.",
    remedy: "Run headrace-bootstrapper adopt to take it over, or rename the ConfigMap in the rules.",
  },
  "reconcile/other-source": {
    meaning: "A ConfigMap belongs to another source; it is left alone.",
    cause: "Rules of two sources name it, or a rule moved from one to the other.",
    remedy: "Let one source name it, or run headrace-bootstrapper adopt to move it.",
  },
  "reconcile/terminating": {
    meaning: "A ConfigMap is being deleted; it is left alone, and written again when it is gone.",
    cause: "It was deleted, and a finalizer keeps it for now.",
    remedy: "Wait; if it stays, remove what its finalizers wait for.",
  },
  "reconcile/too-large": {
    meaning: "A ConfigMap would hold more than 1 MiB; it is not written.",
    cause: "Its files have grown.",
    remedy: 'Set "gzip: true", spread it over "partitioned_names", or set "view: false".',
  },
  "reconcile/unread": {
    meaning:
      "What a ConfigMap holds could not be read, so nobody can judge what a change would delete of it. It keeps what it holds, in the store too.",
    cause: "The account has no rights in its namespace.",
    remedy:
      "Give the account the rights of the shipped role there; the next run, within a minute, writes it.",
  },
  "record/absent": {
    meaning: "There is no record of the source in the cluster.",
    cause: "Nothing was applied there yet, or the namespace of the records is another.",
    remedy: "Run headrace-bootstrapper apply first, and check the namespace in the settings.",
  },
  "record/contended": {
    meaning: "The record kept changing while an operator's word was to be written into it.",
    cause: "A burst of merges, or several operators at once.",
    remedy: "Run the command again; when it returns, look for what writes the record.",
  },
  "record/empty": {
    meaning: "The source shows no commit yet at which it could be held.",
    cause: "Its first reconcile has not come to its end.",
    remedy: "Run headrace-bootstrapper apply first, or give hold a --commit.",
  },
  "record/hold-behind": {
    meaning: "A hold would go back behind what is shown, which a hold does not do.",
    cause: "The commit given is older than what is shown.",
    remedy: "Run headrace-bootstrapper rewind --to COMMIT to go back.",
  },
} as const satisfies ErrorMeanings

declare module "../foundation/errors.ts" {
  interface ErrorCodes extends Record<keyof typeof reconcileErrors, unknown> {}
}
