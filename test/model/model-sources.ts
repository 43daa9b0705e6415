/** Where records and the store are. */
export const OWN_NAMESPACE = "headrace"

/** `tools` takes its rules from a repository of their own. */
export type Source = "release" | "tools"
export const SOURCES: readonly Source[] = ["release", "tools"]
