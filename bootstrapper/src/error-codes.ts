// Its declarations bring the codes of `shared` along, which this package may use too.
import type {} from "@headrace/shared/error-codes"
import type { ErrorMeanings } from "@headrace/shared/foundation/errors"

/** The codes that the bootstrapper declares, as docs/reference/errors.md explains them. */
export const bootstrapperErrors = {
  "adopt/target": {
    meaning: "A target is not written as NAMESPACE/NAME.",
    cause: "The namespace is missing.",
    remedy: "Give --target NAMESPACE/NAME.",
  },
  "adopt/which": {
    meaning: "Both --rule and --target were given.",
    cause: "They choose ConfigMaps in two ways.",
    remedy: "Keep one of the two.",
  },
  "apply/config-path": {
    meaning: "Prow's config.yaml cannot be read.",
    cause: "A wrong --config-path.",
    remedy: "Check the path given with --config-path, and its permissions.",
  },
  "apply/namespaces": {
    meaning: "A value of --namespaces names no namespace.",
    cause: "A slip, or a pattern with more than `*` in it.",
    remedy: "Give names such as ci, or patterns such as team-*.",
  },
  "apply/idle-flag": {
    meaning: "A flag would have no effect in this combination.",
    cause: "Flags of Prow's form and of the operator's file were mixed.",
    remedy: "Remove the flag that the message names, or add the one that it goes with.",
  },
  "apply/kubeconfig-suffix": {
    meaning: "--kubeconfig-suffix was given without --kubeconfig-dir.",
    cause: "The suffix chooses files of that folder.",
    remedy: "Add --kubeconfig-dir, or remove --kubeconfig-suffix.",
  },
  "apply/no-cluster": {
    meaning: "No flag names a cluster to write to.",
    cause: "No kubeconfig was found and the program runs in no cluster.",
    remedy: "Give --kubeconfig or --kubeconfig-dir, set KUBECONFIG, or run inside a cluster.",
  },
  "apply/no-config": {
    meaning: "Nothing says what to apply.",
    cause: "Neither --config nor --source-path was given.",
    remedy: "Give --config FILE, or --source-path DIR with Prow's flags.",
  },
  "apply/no-outcome": {
    meaning: "A lane gave no outcome within the time; its wake-up stays and is worked later.",
    cause: "No plugin works the lane, or a reconcile takes long.",
    remedy: "Check that a plugin runs, and see how far it is with headrace-bootstrapper status.",
  },
  "apply/prune": {
    meaning: "--prune was given without --direct.",
    cause: "Through the lanes it has no effect.",
    remedy: "Add --direct.",
  },
  "apply/source-paths": {
    meaning: "--source-path cannot be used as given.",
    cause: "Folders of several checkouts, or a folder inside a checkout beside --config.",
    remedy:
      "Give the top of one checkout; list each repository as a source of the operator's file, with rules of its own.",
  },
  "apply/supplemental-dir": {
    meaning: "The folder of supplemental plugin configuration cannot be read.",
    cause: "A wrong path, or missing permission.",
    remedy: "Check the path given with --supplemental-plugin-config-dir.",
  },
  "apply/which-source": {
    meaning: "--source-path does not say which source of the settings it is.",
    cause: "The settings have several sources, or none whose rules are in it.",
    remedy: "Give --source NAME, of a source whose rules are in it.",
  },
  "check/which-source": {
    meaning: "Several sources of the settings have gates, and nothing names the one whose files are checked.",
    cause: "--config was given without --source.",
    remedy: "Add --source NAME.",
  },
  "check/no-source": {
    meaning: "There is nothing to check.",
    cause: "Neither --source-path nor --repo was given.",
    remedy: "Give --source-path DIR, or --repo URL and --ref REF.",
  },
  "check/other-rules": {
    meaning: "The rules of another source have mistakes, so that targets cannot be compared.",
    cause: "Its rules were not checked by themselves.",
    remedy: "Check them by themselves first.",
  },
  "diff/folder": {
    meaning: "--source-path was given without --rules, or with --commit.",
    cause: "A folder has one state and no rules of its own.",
    remedy: "Add --rules FILE, and remove --commit.",
  },
  "diff/no-folder": {
    meaning: "Flags that describe a folder were given without one.",
    cause: "--rules, --repo and --keep-foreign go with --source-path.",
    remedy:
      "Remove them, or add --source-path: without a folder the settings say all of that of each source.",
  },
  "diff/which-source": {
    meaning: "--source-path is of one source, and --source names none or several of the settings.",
    cause: "The folder cannot be of several sources.",
    remedy: "Give --source with one source of the settings.",
  },
  "explain/ambiguous": {
    meaning: "What is to be explained may be several things.",
    cause: "A number that is a pull request and begins a commit's id, or a path that two sources have.",
    remedy: "Write commit:ID, pr:NUMBER, file:PATH, target:NAMESPACE/NAME or node:NAME, or add --source.",
  },
  "explain/unknown": {
    meaning: "Nothing by that name is known.",
    cause: "A slip, a commit that was not pushed, or a cluster that did not answer and has the node.",
    remedy: "Check the name; git ls-files lists paths, and status -o json lists nodes.",
  },
  "flag/cluster": {
    meaning: "rollout skip was called without a cluster to skip.",
    cause: "--cluster is missing, often a variable of a script that is not set.",
    remedy: "Give the cluster that the rollout is to continue without, as status names it.",
  },
  "flag/commit-id": {
    meaning: "A commit is not named by its id, or several commits or none begin with the digits given.",
    cause: "A branch's name, fewer than 4 digits, a slip, or too few digits for a large repository.",
    remedy: "Give the id, or more of its first digits: git rev-parse COMMIT prints it.",
  },
  "flag/time-limit": {
    meaning: "A time limit cannot be read.",
    cause: "A number without its unit.",
    remedy: "Give a duration such as 10m.",
  },
  "hold/reason": {
    meaning: "A hold has no reason.",
    cause: "--reason is empty, often a variable of a script that is not set.",
    remedy: "Give the reason in a few words: status shows it to everyone who wonders.",
  },
  "hold/until": {
    meaning: "The end of a hold cannot be read, or has passed.",
    cause: "Neither an ISO time nor a duration, or a time in the past.",
    remedy: "Give an ISO time in the future, such as 2030-01-31T12:00:00Z, or a duration, such as 2h.",
  },
  "init/exists": {
    meaning: "There are rules at the path already; nothing was written.",
    cause: "init was run before, or the repository has rules.",
    remedy: "Check those with headrace-bootstrapper check, or give another --rules.",
  },
  "init/no-files": {
    meaning: "The folder has no file that a rule could name.",
    cause: "A wrong --source-path, or files that are hidden or not committed.",
    remedy: "Give the folder of a repository with configuration, and commit its files.",
  },
  "init/rules-path": {
    meaning: "The path of the rules is outside of the repository; nothing was written.",
    cause: "--rules names a place on this machine, and not a path in the repository.",
    remedy: "Give the path that the rules are to have in the repository, such as config/plugins.yaml.",
  },
  "init/unwritable": {
    meaning: "The proposed rules cannot be written.",
    cause: "The folder of --rules is not there, or this user may not write to it.",
    remedy: "Give --rules a path in a folder that exists, or print the proposal with --dry-run.",
  },
  "keys/expires": {
    meaning: "--expires is not a date.",
    cause: "A slip, or another form than YEAR-MONTH-DAY.",
    remedy: "Give a day, such as 2028-01-31.",
  },
  "keys/no-config": {
    meaning: "keys sign was not given the operator's file.",
    cause: "No --config, and no HEADRACE_CONFIG.",
    remedy: "Give --config FILE.",
  },
  "keys/no-file": {
    meaning: "keys generate or keys show was not given a file.",
    cause: "The file's path is missing.",
    remedy: "Give the path of the key.",
  },
  "keys/no-signing": {
    meaning: "Records are to be signed, and the settings have no key to sign with.",
    cause: "The operator's file has no signing.",
    remedy: "Set signing.keyFile to a file that keys generate has written.",
  },
  "keys/not-written": {
    meaning: "A key file cannot be written. Nothing is replaced.",
    cause: "A file of that name is there, or the folder is not.",
    remedy: "Give another path, or move the old key away first.",
  },
  "rules/not-found": {
    meaning: "The rules file cannot be read.",
    cause: "A wrong path.",
    remedy: "Give the path of a plugins.yaml, on this machine or beneath a source path.",
  },
  "rules/supplemental": {
    meaning: 'A supplemental plugin configuration has a "config_updater", which Prow does not merge.',
    cause: "Rules were moved into a supplemental file.",
    remedy: "Move its rules into the file of --plugin-config.",
  },
  "status/change": {
    meaning: "--commit and --pr were both given, or --pr is not a number.",
    cause: "They ask for two things.",
    remedy: "Give one of --commit ID and --pr NUMBER.",
  },
  "status/wait": {
    meaning: "--wait or --ignore-silent does not say for what.",
    cause: "Neither --commit nor --pr was given.",
    remedy: "Add --commit ID or --pr NUMBER.",
  },
  "status/watch": {
    meaning: "--watch or -o html was given where it has no effect.",
    cause: "--watch needs a terminal and text; neither goes with --commit or --pr.",
    remedy: "Leave it out, or repeat the command in a script.",
  },
} as const satisfies ErrorMeanings

declare module "@headrace/shared/foundation/errors" {
  interface ErrorCodes extends Record<keyof typeof bootstrapperErrors, unknown> {}
}
