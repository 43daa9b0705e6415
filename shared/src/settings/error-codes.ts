import type { ErrorMeanings } from "../foundation/errors.ts"

/** The codes that `settings` declares, as docs/reference/errors.md explains them. */
export const settingsErrors = {
  "settings/conflict": {
    meaning:
      "Two different settings have the same settingsVersion. The source stopped, and neither is written.",
    cause:
      "Somebody changed the operator's file without raising settingsVersion, and not every program has the change.",
    remedy: "Raise settingsVersion in the file that is right, and give it to every program.",
  },
  "settings/older": {
    meaning: "A program's settings are older than those that the record follows. It writes nothing.",
    cause: "The operator's file was changed, and this program still runs with the one before.",
    remedy: "Give this program the current settings; raise settingsVersion if its own are right.",
  },
  "settings/cluster-address": {
    meaning: "A cluster of the settings has no address, or two.",
    cause: 'Neither "kubeconfig" nor "inCluster: true" is set, or both are.',
    remedy: 'Give the cluster exactly one of "kubeconfig: FILE" and "inCluster: true".',
  },
  "settings/context-name": {
    meaning: "A context of the folder of kubeconfigs cannot name a cluster.",
    cause: 'Contexts made by cloud tools hold ":" or "/".',
    remedy: "Rename it to letters, digits, -, _ and . with kubectl config rename-context.",
  },
  "settings/duplicate-key": {
    meaning: "A mapping of the settings has the same key twice.",
    cause: "A block was copied and not renamed.",
    remedy: "Remove one of the two.",
  },
  "settings/invalid": {
    meaning:
      "The settings have mistakes, which the message lists with file, line and column. Running programs keep the last good ones.",
    cause: "A field that is misspelt, missing or of the wrong type.",
    remedy: "Correct each line that the message lists; docs/reference has every field.",
  },
  "settings/missing-field": {
    meaning: "The settings lack a field that is required.",
    cause: "The field was forgotten or is at another level.",
    remedy: "Add the field that the message names.",
  },
  "settings/no-cluster": {
    meaning: "The settings list sources and no cluster to write to.",
    cause: '"clusters" is missing or empty, and so is the folder of kubeconfigs.',
    remedy: 'List clusters under "clusters", or name a folder of kubeconfigs under "kubeconfigs".',
  },
  "settings/other-file": {
    meaning: "The settings are the agent's file where the operator's is expected, or the other way round.",
    cause: "--config names the file of another program.",
    remedy: "Give headrace-agent the agent's file, and every other program the operator's.",
  },
  "settings/too-large": {
    meaning: "YAML aliases make the settings stand for too many values.",
    cause: 'Aliases of aliases ("billion laughs"), by accident or by intent.',
    remedy: "Write the values out instead of nesting aliases.",
  },
  "settings/unknown-cluster": {
    meaning: "A cluster was named that the settings do not list.",
    cause: "A misspelt --cluster, or a wake-up of another instance whose settings are newer.",
    remedy: "Choose one of the clusters in the message, or add it to the settings.",
  },
  "settings/unknown-field": {
    meaning: "The settings have a field that Headrace does not know.",
    cause: "A misspelt name, a field of a newer version, or one at the wrong level.",
    remedy: "Correct the name, or remove the field; docs/reference lists all.",
  },
  "settings/unknown-source": {
    meaning: "A source was named that the settings do not list.",
    cause: "A misspelt --source, or a wake-up of another instance whose settings are newer.",
    remedy: "Choose one of the sources in the message, or add it to the settings.",
  },
  "settings/unreadable": {
    meaning: "The settings file cannot be read as text.",
    cause: "A wrong path, missing permission, or a file that is not UTF-8.",
    remedy: "Check the path given with --config, its permissions, and that it is UTF-8 text.",
  },
  "settings/wrong-key": {
    meaning: 'A mapping of the settings has the key "__proto__".',
    cause: "A test of hostile input; no program needs that name.",
    remedy: "Rename the key.",
  },
  "settings/wrong-value": {
    meaning: "A field of the settings has a value that it cannot have.",
    cause: "A wrong type, such as a number for text, or a word that is not one of the choices.",
    remedy: "Write a value of the type that the message expects; quote what is meant as text.",
  },
} as const satisfies ErrorMeanings

declare module "../foundation/errors.ts" {
  interface ErrorCodes extends Record<keyof typeof settingsErrors, unknown> {}
}
