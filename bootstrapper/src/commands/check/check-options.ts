export interface CheckOptions {
  sourcePath?: string[]
  repo?: string
  ref?: string
  rules: string
  config?: string
  base?: string
  otherRules: string[]
  defaultCluster: string
  defaultNamespace: string
  strict: boolean
  output: "text" | "json" | "github"
}
