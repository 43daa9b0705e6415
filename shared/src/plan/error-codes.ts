import type { ErrorMeanings } from "../foundation/errors.ts"

/** The codes that `plan` declares, as docs/reference/errors.md explains them. */
export const planErrors = {
  "plan/claimed-twice": {
    meaning: "Rules of two sources name the same ConfigMap: each would undo the other's writes.",
    cause: "Rules were copied from one source to the other.",
    remedy: "Let one source name it, and remove the rule of the other.",
  },
  "plan/divided-view": {
    meaning: "Rules disagree on whether a ConfigMap is written.",
    cause: '"view: false" is set on some of the rules that give it keys, and not on others.',
    remedy: 'Set "view" the same on all rules of this ConfigMap.',
  },
  "plan/file-too-large": {
    meaning: "A file has more bytes than `bounds.file`; the targets that it goes to keep what they hold.",
    cause: "A binary, a dump or a generated file in the folder of a rule.",
    remedy: "Make the file smaller, narrow the glob, or raise `bounds.file` and the memory of the programs.",
  },
  "plan/illegal-key": {
    meaning: "Kubernetes would refuse a key of a ConfigMap; the target is not written.",
    cause: "A file's name has characters that a key cannot have, or is too long.",
    remedy: 'Rename the file, or give the rule a "key".',
  },
  "plan/illegal-name": {
    meaning: "A name cannot be that of a ConfigMap or a namespace.",
    cause: 'Upper case, "_" or "/" in the name, or too many characters.',
    remedy: 'Use lower-case letters, digits and "-", with a letter or digit at both ends.',
  },
  "plan/key-collision": {
    meaning: "Several files give the same key of a ConfigMap; the last by path is written, as in Prow.",
    cause: "Files of one name in several folders, without their paths in the key.",
    remedy: 'Set "use_full_path_as_key: true", or rename one of the files.',
  },
  "plan/missing-field": {
    meaning: "An entry in the list of changed files lacks a field.",
    cause: "The list was written by hand, or a filter took the field out.",
    remedy: "Add the field that the message names.",
  },
  "plan/namespace-closed": {
    meaning:
      "A rule names a ConfigMap that does not exist, in a namespace that is closed to new ones. It is not created; all else goes on.",
    cause:
      'The cluster has no "namespaces" in the settings, so that new ConfigMaps go to "defaults.namespace" alone. What exists already is written as before.',
    remedy:
      'Add the namespace to the cluster\'s "namespaces" in the settings, if its rules are to write there; check --config prints the whole line.',
  },
  "plan/namespace-not-allowed": {
    meaning: "A rule names a namespace that the operator does not let rules write to.",
    cause: 'The cluster\'s "namespaces" in the settings do not list it.',
    remedy: "Use one of the allowed namespaces, or ask the operator to add it to the settings.",
  },
  "plan/nearly-full": {
    meaning: "A ConfigMap comes close to 1 MiB, which is the most that one can hold.",
    cause: "Its files grow.",
    remedy: 'Spread it over "partitioned_names", or set "view: false" where agents alone read it.',
  },
  "plan/reserved-key": {
    meaning: "A file would become the key that holds the commit id; it is not written.",
    cause: "The file has the name of that key.",
    remedy: 'Rename the file, narrow the glob, or give the rule a "key".',
  },
  "plan/reserved-namespace": {
    meaning: "A rule names a namespace of Headrace: that of its records and store, or that of its programs.",
    cause: "The namespace was chosen without knowing that it is taken.",
    remedy: "Choose another namespace for this ConfigMap.",
  },
  "plan/target-too-large": {
    meaning: "The files of a target have more bytes than `bounds.target`; it keeps what it holds.",
    cause: "A rule that takes far more files than was meant.",
    remedy: "Narrow the glob, spread it over several targets, or raise `bounds.target`.",
  },
  "plan/too-large": {
    meaning: "A ConfigMap would hold more than 1 MiB; it is not written.",
    cause: "Large files, or many in one ConfigMap.",
    remedy:
      'Set "gzip: true", spread it over "partitioned_names", or set "view: false" where agents alone read it.',
  },
  "plan/unknown-cluster": {
    meaning: "A rule names a cluster that the operator's settings do not list; it is not written there.",
    cause: "A misspelt name, or a cluster that has no kubeconfig here yet.",
    remedy:
      'Correct the name, add the cluster to "clusters" of the settings, or, where another program writes it, to "otherClusters".',
  },
  "plan/unknown-field": {
    meaning: "An entry in the list of changed files has a field that is not known.",
    cause: "The list was written by hand.",
    remedy: "Remove the field that the message names.",
  },
  "plan/unknown-repository": {
    meaning: "A rule with an access list is left out, since the repository is not known.",
    cause: "The URL does not say ORG/NAME and --repo was not given.",
    remedy: "Give --repo ORG/NAME.",
  },
  "plan/wrong-changes": {
    meaning: "The list of changed files cannot be read.",
    cause: "Its file is not there, is not JSON, or has another shape than GitHub's list of files.",
    remedy:
      'Give a JSON array of {"filename", "status", "previous_filename"}, in the words of GitHub\'s API.',
  },
  "plan/wrong-value": {
    meaning: "A field in the list of changed files has a value that it cannot have.",
    cause: "A status that GitHub's API does not have, or an empty path.",
    remedy: "Write a value that the message expects.",
  },
} as const satisfies ErrorMeanings

declare module "../foundation/errors.ts" {
  interface ErrorCodes extends Record<keyof typeof planErrors, unknown> {}
}
