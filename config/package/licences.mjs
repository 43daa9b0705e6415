import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"

const LICENCE_FILE = /^(licen[cs]e|copying|notice)/i

/** The licences of the packages that these files belong to, as one text, by name. A package without one is refused. */
export function licencesOf(files) {
  const folders = new Set(files.map((file) => packageFolder(dirname(file))))
  const parts = [...folders].map(licenceOf).sort((a, b) => (a.name < b.name ? -1 : 1))
  return parts.map(({ name, text }) => `${name}\n${"=".repeat(name.length)}\n\n${text.trim()}\n`).join("\n\n")
}

/** The nearest folder above whose package.json has a name: some packages have nameless ones within. */
function packageFolder(folder) {
  const manifest = join(folder, "package.json")
  if (existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).name) return folder
  return packageFolder(dirname(folder))
}

function licenceOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
  const texts = readdirSync(folder).filter((file) => LICENCE_FILE.test(file))
  if (texts.length === 0 && !license) throw new Error(`${name} has no licence`)
  const text = texts.map((file) => readFileSync(join(folder, file), "utf8")).join("\n\n")
  return { name: `${name} ${version} (${license})`, text }
}
