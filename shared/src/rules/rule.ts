/** Where a ConfigMap goes: a cluster's name and a namespace; `""` is the default namespace. */
export interface Place {
  cluster: string
  namespace: string
}

/** One entry of `config_updater.maps`, groups resolved and defaults applied, in declared order. */
export interface Rule {
  glob: string
  /** One name, or as many as `partitioned_names` lists; the partition of a key chooses among them. */
  names: readonly string[]
  /** True when the names came from `partitioned_names` (which may list a single one). */
  partitioned: boolean
  /** The fixed key, when one is given. */
  key: string | undefined
  useFullPathAsKey: boolean
  gzip: boolean
  places: readonly Place[]
  allowedRepos: readonly string[]
  deniedRepos: readonly string[]
  /** False: the target lives in the store alone, at any size (ours, not Prow's). */
  view: boolean
  /** Line of the rule in its file; counts from 1. */
  line: number
  column: number
}

/** The rules of one source at one commit. */
export interface RuleSet {
  /** The file they were read from, as the user knows it. */
  file: string
  rules: readonly Rule[]
  /** SHA-256 of the meaning (not of the bytes), so that a comment does not count as a change. */
  digest: string
}
