export interface PlanOptions {
  sourcePath: string[]
  rules: string
  repo?: string
  changes?: string
  defaultCluster: string
  defaultNamespace: string
  strict: boolean
  output: "json" | "text"
}
