import http from "node:http"

const MODULE = "\0required:node:http"
/** What Node loads when it is first read: its own fetch, with HTTP/2 and web streams. */
const LOADED_WHEN_READ = ["WebSocket", "CloseEvent", "MessageEvent"]

/**
 * A rolldown plugin that takes `node:http` as `require` gives it. An `import` of it reads each name that it exports, those of
 * WebSockets too, which costs 14 MB and a tenth of a second of CPU at each start (docs/decisions/170).
 */
export const requiredHttp = {
  name: "required-http",
  resolveId(id, _importer, { kind }) {
    const isHttp = id === "node:http" || id === "http"
    return isHttp && kind === "import-statement" ? MODULE : null
  },
  load(id) {
    if (id !== MODULE) return null
    const names = Object.keys(http).filter((name) => !LOADED_WHEN_READ.includes(name))
    const lines = names.map((name) => `export const ${name} = http.${name}`)
    return `const http = process.getBuiltinModule("node:http")\nexport default http\n${lines.join("\n")}\n`
  },
}
