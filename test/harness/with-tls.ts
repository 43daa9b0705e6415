import { execFile, spawnSync } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { type AddressInfo, connect } from "node:net"
import { join } from "node:path"
import { createServer, type TLSSocket } from "node:tls"
import { promisify } from "node:util"

const run = promisify(execFile)
const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]

/** Why no certificates can be made here, as one line to print; undefined when they can. */
export function opensslMissing(): string | undefined {
  const { error } = spawnSync("openssl", ["version"])
  return error ? "there is no openssl here: the light client was not tested over TLS" : undefined
}

/** A certificate and its key: paths of PEM files. */
export interface Certified {
  cert: string
  key: string
}

/** An authority for one test, made by openssl. */
export interface Authority {
  /** Path of its own certificate, PEM. */
  ca: string
  /** A certificate for a common name, good for servers at 127.0.0.1 and `names`, and for clients. */
  certify(name: string, names?: readonly string[]): Promise<Certified>
}

export async function createAuthority(folder: string): Promise<Authority> {
  const ca = join(folder, "ca.crt")
  const caKey = join(folder, "ca.key")
  await openssl(
    "req",
    "-x509",
    ...NEW_KEY,
    "-keyout",
    caKey,
    "-out",
    ca,
    "-days",
    "2",
    "-subj",
    "/CN=authority",
  )
  return {
    ca,
    async certify(name, names = []) {
      const [cert, key, request, extensions] = ["crt", "key", "csr", "ext"].map((end) =>
        join(folder, `${name}.${end}`),
      )
      if (!cert || !key || !request || !extensions) throw new Error("a path is missing")
      const alternatives = ["IP:127.0.0.1", ...names.map((each) => `DNS:${each}`)].join(",")
      await writeFile(extensions, `subjectAltName=${alternatives}\n`)
      await openssl("req", ...NEW_KEY, "-keyout", key, "-out", request, "-subj", `/CN=${name}`)
      const by = ["-CA", ca, "-CAkey", caKey, "-CAcreateserial", "-days", "2", "-extfile", extensions]
      await openssl("x509", "-req", "-in", request, "-out", cert, ...by)
      return { cert, key }
    },
  }
}

/** A door with TLS in front of a server that has none. */
export interface TlsDoor {
  port: number
  /** The common names of the clients that came in, connection by connection; "" for none. */
  clients: string[]
}

export interface TlsDoorOptions {
  /** Where to pass what comes in. */
  port: number
  certificate: Certified
  /** Lets in only who shows a certificate of this authority. */
  clientsOf?: Authority
}

export async function withTlsDoor<T>(
  options: TlsDoorOptions,
  use: (door: TlsDoor) => Promise<T>,
): Promise<T> {
  const { certificate, clientsOf } = options
  const clients: string[] = []
  const sockets = new Set<TLSSocket>()
  const server = createServer(
    {
      cert: readFileSync(certificate.cert),
      key: readFileSync(certificate.key),
      ...(clientsOf ? { ca: readFileSync(clientsOf.ca), requestCert: true, rejectUnauthorized: true } : {}),
    },
    (socket) => {
      clients.push(String(socket.getPeerCertificate().subject?.CN ?? ""))
      sockets.add(socket)
      const behind = connect(options.port, "127.0.0.1")
      socket.pipe(behind).pipe(socket)
      socket.on("error", () => behind.destroy()).on("close", () => behind.destroy())
      behind.on("error", () => socket.destroy())
    },
  ).listen(0, "127.0.0.1")
  await once(server, "listening")
  try {
    return await use({ port: (server.address() as AddressInfo).port, clients })
  } finally {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
}

async function openssl(...args: readonly string[]): Promise<void> {
  await run("openssl", args)
}
