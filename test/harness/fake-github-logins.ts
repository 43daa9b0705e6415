import { createVerify, generateKeyPairSync } from "node:crypto"
import type { IncomingMessage } from "node:http"

/** Who may log in at the fake GitHub. */
export interface FakeLogins {
  /** The owner of the one personal token. */
  user: string
  token: string
  /** Undefined: the personal token is what logs in. */
  app: FakeApp | undefined
}

export interface FakeApp {
  appId: number
  slug: string
  installationId: number
  /** PEM of the key pair that App tokens (JWTs) must be signed with. */
  publicKey: string
  privateKey: string
  /** Every installation token that was given out, and when it ends, in milliseconds since the epoch. */
  tokens: Map<string, number>
}

/** How long GitHub's installation tokens live, and how long an App's own may. */
const HOUR_MS = 3_600_000
const JWT_LIMIT_S = 600
const CLOCK_SLACK_S = 60

export function newLogins(): FakeLogins {
  return { user: "headrace-bot", token: "of-the-tests", app: undefined }
}

/** An App with a key pair of its own, installed once. */
export function newApp(): FakeApp {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
  return {
    ...{ appId: 123, slug: "headrace", installationId: 45 },
    publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(),
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    tokens: new Map(),
  }
}

/** What GitHub would not have let pass, whatever the request asks for. */
export function complaintsAbout(request: IncomingMessage, pathname: string, logins: FakeLogins): string[] {
  const complaints = []
  if (!pathname.startsWith("/api/v3/")) complaints.push(`${pathname} is not below the API's base`)
  if (!request.headers["user-agent"]?.includes("headrace")) complaints.push("no user agent")
  if (!request.headers.accept?.includes("application/vnd.github")) complaints.push("no version of the API")
  if (!isLoggedIn(request, pathname, logins)) complaints.push(`${pathname}: no or wrong authorization`)
  return complaints
}

function isLoggedIn(request: IncomingMessage, pathname: string, { app, token }: FakeLogins): boolean {
  const { authorization = "" } = request.headers
  if (app === undefined) return authorization === `token ${token}`
  if (pathname.includes("/app/")) return jwtFault(authorization, app) === undefined
  return (app.tokens.get(authorization.replace(/^token /, "")) ?? 0) > Date.now()
}

/** A new installation token for a client that shows a valid JWT of the App. */
export function tokenOfApp(
  request: IncomingMessage,
  installationId: number,
  { app }: FakeLogins,
): { status: number; body: unknown } {
  if (app === undefined || installationId !== app.installationId) {
    return { status: 404, body: { message: "Not Found" } }
  }
  const fault = jwtFault(request.headers.authorization ?? "", app)
  if (fault !== undefined) return { status: 401, body: { message: fault } }
  const token = `ghs_of-the-tests-${app.tokens.size + 1}`
  app.tokens.set(token, Date.now() + HOUR_MS)
  const expires_at = new Date(Date.now() + HOUR_MS).toISOString()
  return { status: 201, body: { token, expires_at, permissions: { issues: "write", statuses: "write" } } }
}

/**
 * Why a JWT does not prove the App: RS256 by its key, issued by it, not from the future, good for ten minutes at
 * most. https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
 */
function jwtFault(authorization: string, app: FakeApp): string | undefined {
  const [head = "", payload = "", signature = ""] = authorization.replace(/^bearer /i, "").split(".")
  if (JSON.parse(decode(head) || "{}").alg !== "RS256") return "not signed by RS256"
  const signed = createVerify("RSA-SHA256").update(`${head}.${payload}`)
  if (!signed.verify(app.publicKey, signature, "base64url")) return "not signed by the App's key"
  const { iss, iat, exp } = JSON.parse(decode(payload))
  const now = Date.now() / 1000
  if (String(iss) !== String(app.appId)) return "issued by another App"
  if (iat > now + 1) return "from the future"
  if (exp < now || exp - now > JWT_LIMIT_S + CLOCK_SLACK_S) return "ends too early or too late"
  return undefined
}

function decode(text: string): string {
  return Buffer.from(text, "base64url").toString()
}
