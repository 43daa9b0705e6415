import { readFileSync } from "node:fs"
import { join } from "node:path"

const DOCKERFILE = join(import.meta.dirname, "../../../config/image/Dockerfile")

/** The variables that the image gives its programs. Throws when it gives none: then this reads it wrong. */
export function imageEnvironment(): Record<string, string> {
  const lines = readFileSync(DOCKERFILE, "utf8").matchAll(/^ENV (\w+)=(\S+)$/gm)
  const environment = Object.fromEntries([...lines].map(([, name, value]) => [name, value]))
  if (Object.keys(environment).length === 0) throw new Error(`${DOCKERFILE} sets no variable`)
  return environment
}
