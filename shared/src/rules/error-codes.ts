import type { ErrorMeanings } from "../foundation/errors.ts"

/** The codes that `rules` declares, as docs/reference/errors.md explains them. */
export const rulesErrors = {
  "rules/clusters-and-groups": {
    meaning: 'A rule has both "clusters" and "cluster_groups".',
    cause: "Groups were added and the clusters were kept.",
    remedy: "Keep one of the two.",
  },
  "rules/clusters-and-namespace": {
    meaning: 'A rule has "clusters" or "cluster_groups" beside a legacy namespace field.',
    cause: "A rule was modernised by half.",
    remedy: 'Remove "namespace" and "additional_namespaces".',
  },
  "rules/default-maps": {
    meaning: '"config_updater.maps" is empty, so that Prow\'s two default rules apply.',
    cause: 'The section is present and its "maps" was left out.',
    remedy: 'List the rules under "maps", or remove "config_updater" when none is meant.',
  },
  "rules/duplicate-key": {
    meaning: "A mapping of the rules has the same key twice; Prow would keep the last.",
    cause: "The same glob was added by two changes.",
    remedy: "Remove or merge one of the two.",
  },
  "rules/empty-group": {
    meaning: "A cluster group has no clusters or no namespaces, so the rule has no effect.",
    cause: "The group was emptied, or its field is misspelt.",
    remedy: "Add clusters and namespaces to the group, or take it off the rule.",
  },
  "rules/glob-brace-range": {
    meaning: "A range in braces is plain text in Prow, and counts here.",
    cause: 'The two matchers read ".." differently.',
    remedy: "Write the alternatives with commas.",
  },
  "rules/glob-braces-inside": {
    meaning: '"*" or braces inside braces are plain text in Prow, and work here.',
    cause: "The two matchers nest differently.",
    remedy: "Write the alternatives as rules of their own.",
  },
  "rules/glob-environment": {
    meaning: '"~" and "$NAME" are plain text here; Prow puts in the environment.',
    cause: "The glob depends on the environment that Prow runs in.",
    remedy: "Write the folder's name out.",
  },
  "rules/glob-inner-globstar": {
    meaning: 'A "**/" within a name crosses folders in Prow, and not here.',
    cause: 'The two matchers read "**" inside a name differently.',
    remedy: 'Put a "/" before the "**".',
  },
  "rules/glob-leading-slash": {
    meaning: 'A glob that begins with "/" matches no file.',
    cause: 'Paths count from the top of the repository and have no "/" in front.',
    remedy: 'Remove the "/" at the beginning.',
  },
  "rules/glob-plain-braces": {
    meaning: 'Braces without any "*" are plain text in Prow, and alternatives here.',
    cause: 'Prow takes a glob without "*" as a file\'s name.',
    remedy: "Write one rule per file.",
  },
  "rules/glob-relative-path": {
    meaning: '"." parts or a "/" at the end keep the glob from matching here; Prow drops them.',
    cause: "A path was copied from a shell.",
    remedy: "Write the path from the top of the repository, without them.",
  },
  "rules/glob-single-brace": {
    meaning: "Braces around a single choice are dropped in Prow, and plain text here.",
    cause: "A choice was removed and its braces were left.",
    remedy: "Remove the braces.",
  },
  "rules/glob-special-character": {
    meaning: '"?", "[…]" and a backslash are plain text in Prow, and special here.',
    cause: "The glob was written for another matcher, or file names have such characters.",
    remedy: 'Write "*" in their place, or rename the files.',
  },
  "rules/glob-trailing-globstar": {
    meaning: 'A "**" at the end takes all folders beneath here, and one level in Prow.',
    cause: 'The two matchers read "**" at the end differently.',
    remedy: 'Write "/*" for one level, "/**/*" for all.',
  },
  "rules/glob-whole-tree": {
    meaning: "The glob takes the whole tree here and less in Prow.",
    cause: 'Prow\'s matcher skips names of one character, and "**" alone takes the top folder only.',
    remedy: "Compare with headrace-bootstrapper diff which files are added before you move over.",
  },
  "rules/invalid": {
    meaning: "The rules have mistakes; until they are fixed everything stays as it is.",
    cause: "A merge brought a mistake that check did not judge beforehand.",
    remedy: "Run headrace-bootstrapper check on the branch, correct what it lists, and merge.",
  },
  "rules/legacy-namespace": {
    meaning: "A rule uses a legacy field that current Prow no longer reads; here it is still obeyed.",
    cause: 'The rule dates from before "clusters".',
    remedy: 'Write "clusters" as the message shows.',
  },
  "rules/matches-nothing": {
    meaning: "A rule matches no file of the repository.",
    cause: "The files were moved or removed, or the glob has a slip.",
    remedy: "Correct the glob, or remove the rule.",
  },
  "rules/missing": {
    meaning: "There is no rules file at the configured path of the commit.",
    cause: 'The file was moved or renamed, or "rules.path" of the source is wrong.',
    remedy: "Restore the file on the branch, or set the source's path of rules to where it is now.",
  },
  "rules/missing-field": {
    meaning: "The rules lack a field that is required.",
    cause: "The field was forgotten or is at another level.",
    remedy: "Add the field that the message names.",
  },
  "rules/missing-name": {
    meaning: "A rule names no ConfigMap, or a partition with an empty name.",
    cause: '"name" and "partitioned_names" are both missing, or one of the names is empty.',
    remedy: 'Add "name", or "partitioned_names" with a name for each.',
  },
  "rules/name-and-partitions": {
    meaning: 'A rule has both "name" and "partitioned_names".',
    cause: "Partitions were added and the single name was kept.",
    remedy: "Keep one of the two.",
  },
  "rules/no-namespaces": {
    meaning: "A cluster of a rule has no namespaces: nothing is written there.",
    cause: "An empty list or a key without a value.",
    remedy: 'Name the namespaces, or write [""] for the default one.',
  },
  "rules/no-section": {
    meaning: "A YAML file that is no rules file was named as one; nothing of it is used.",
    cause: "--rules or the source's rules name another file, such as a chart.",
    remedy: 'Name a plugins.yaml, whose "config_updater" has the rules.',
  },
  "rules/not-a-mapping": {
    meaning: "The rules file is YAML of another shape than a mapping.",
    cause: "Another file was named, or the file is empty.",
    remedy: 'Give a plugins.yaml with "config_updater" in it.',
  },
  "rules/overlap": {
    meaning: "Files match two rules. The first in declared order has them; Prow chooses at random.",
    cause: "Two globs cover the same folder.",
    remedy: "Narrow one of the globs.",
  },
  "rules/shadowed": {
    meaning: "A rule matches files, and earlier rules take all of them.",
    cause: "A wider glob comes before it.",
    remedy: "Move the rule up, narrow the earlier glob, or remove the rule.",
  },
  "rules/too-large": {
    meaning:
      "The rules file has more bytes than `bounds.rulesFile`, or its aliases stand for too many values. The source is stopped; what is in force stays.",
    cause: "A generated file, or aliases of aliases.",
    remedy: "Split the rules file, write the aliases out, or raise `bounds.rulesFile`.",
  },
  "rules/too-many-targets": {
    meaning:
      "The rules name more ConfigMaps than `bounds.targets`: names times places, counted before they are made. The source is stopped; what is in force stays.",
    cause: "Many partitions in many namespaces, often through a cluster group or an alias.",
    remedy: "Name fewer partitions, clusters or namespaces, or raise `bounds.targets`.",
  },
  "rules/too-many-partitions": {
    meaning: "A rule spreads its files over more partitions than Prow's hash distinguishes.",
    cause: "More names than one byte of the hash has values.",
    remedy: 'Reduce "partitioned_names" to the number in the message, or split the rule.',
  },
  "rules/unknown-field": {
    meaning: 'The rules have a field that "config_updater" does not have.',
    cause: "A misspelt name: Prow would pass over it without a word.",
    remedy: "Correct the name, or remove the field; docs/reference/rules.md lists all.",
  },
  "rules/unknown-group": {
    meaning: "A rule names a cluster group that is not defined.",
    cause: "A misspelt name, or the group was removed.",
    remedy: 'Correct the name, or define it under "cluster_groups".',
  },
  "rules/unreadable": {
    meaning: "The rules file cannot be used at all; the message says where.",
    cause: "It is not YAML, not a mapping, or too large.",
    remedy: "Correct the file at the line of the message and run headrace-bootstrapper check on it.",
  },
  "rules/wrong-glob": {
    meaning: "The glob of a rule cannot be used.",
    cause: "It is longer than the matcher takes, or nests too deep.",
    remedy: "Write a shorter glob, or split it into several rules.",
  },
  "rules/wrong-key": {
    meaning: 'A mapping of the rules has the key "__proto__".',
    cause: "A test of hostile input; no glob needs that name.",
    remedy: "Rename the key.",
  },
  "rules/wrong-repo": {
    meaning: "An access list of a rule has an entry that can never match a repository.",
    cause: "A URL or a path with several slashes in place of ORG/NAME.",
    remedy: "Write ORG or ORG/NAME.",
  },
  "rules/wrong-value": {
    meaning: "A field of the rules has a value that it cannot have.",
    cause: "A wrong type: text for a list, or an unquoted number for text.",
    remedy: "Write a value of the type that the message expects; quote what is meant as text.",
  },
} as const satisfies ErrorMeanings

declare module "../foundation/errors.ts" {
  interface ErrorCodes extends Record<keyof typeof rulesErrors, unknown> {}
}
