import type { GitCredential } from "./git-credentials.ts"
import { badOption, type GivenValues } from "./given-values.ts"

export interface GithubAppSettings {
  apiUrl: string
  /** Client id or application id. */
  issuer: string
  installation: number
  privateKey: string | undefined
  privateKeyFile: string | undefined
}

/** The GitHub App to log in as; undefined where none is given. */
export function githubAppOf(read: GivenValues): GithubAppSettings | undefined {
  const application = read.number("githubAppApplicationId")
  const client = read.text("githubAppClientId")
  const installation = read.number("githubAppInstallationId")
  const [privateKey, privateKeyFile] = [
    read.text("githubAppPrivateKey"),
    read.text("githubAppPrivateKeyFile"),
  ]
  if (application === 0 && client === "") {
    if (installation === 0) return undefined
    throw badOption(
      "--github-app-installation-id needs --github-app-application-id or --github-app-client-id",
    )
  }
  if (application !== 0 && client !== "")
    throw badOption("only one of --github-app-application-id and --github-app-client-id can be given")
  if (installation === 0) throw badOption("a GitHub App needs --github-app-installation-id")
  if ((privateKey === "") === (privateKeyFile === "")) {
    throw badOption(
      "a GitHub App needs one of GITSYNC_GITHUB_APP_PRIVATE_KEY and --github-app-private-key-file",
    )
  }
  if (read.text("username") !== "") throw badOption("--username and a GitHub App are given together")
  return {
    apiUrl: read.text("githubBaseUrl"),
    issuer: client || String(application),
    installation,
    privateKey: privateKey || undefined,
    privateKeyFile: privateKeyFile || undefined,
  }
}

/** The credentials of all sources, those of --repo first, and the repository's URL without any. */
export function credentialsOf(
  read: GivenValues,
  repo: string,
): { url: string; credentials: GitCredential[] } {
  const listed = read
    .list("credential")
    .filter((text) => text !== "")
    .flatMap(parseCredentials)
  const username = read.text("username")
  const password = read.text("password") || read.text("passwordVariable")
  const passwordFile = read.text("passwordFile")
  const parsed = /^https?:/i.test(repo) ? URL.parse(repo) : null
  if (username === "") {
    if (password !== "") throw badOption("GITSYNC_PASSWORD needs --username")
    if (passwordFile !== "") throw badOption("--password-file needs --username")
    if (!parsed?.username && !parsed?.password) return { url: repo, credentials: listed }
    const own = {
      username: decodeURIComponent(parsed.username),
      password: decodeURIComponent(parsed.password),
    }
    parsed.username = ""
    parsed.password = ""
    return { url: parsed.href, credentials: [{ url: parsed.href, ...own }, ...listed] }
  }
  if (parsed?.username || parsed?.password)
    throw badOption("--repo carries credentials and --username is given", "Remove one of them.")
  if ((password === "") === (passwordFile === "")) {
    throw badOption("--username needs one of GITSYNC_PASSWORD and --password-file")
  }
  const secret = passwordFile === "" ? { password } : { passwordFile }
  return { url: repo, credentials: [{ url: repo, username, ...secret }, ...listed] }
}

function parseCredentials(text: string): GitCredential[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    // The text is not shown: it may hold a password.
    throw badOption("--credential is no JSON", CREDENTIAL_HINT)
  }
  return (Array.isArray(parsed) ? parsed : [parsed]).map(parseCredential)
}

const CREDENTIAL_HINT =
  'Give {"url": "https://example.com", "username": "me", "password-file": "/creds/me"}, or a list of such.'
const CREDENTIAL_KEYS = ["url", "username", "password", "password-file"]

function parseCredential(given: unknown): GitCredential {
  if (typeof given !== "object" || given === null)
    throw badOption("--credential is no object", CREDENTIAL_HINT)
  const fields = new Map(Object.entries(given))
  const unknown = [...fields.keys()].find((key) => !CREDENTIAL_KEYS.includes(key))
  if (unknown !== undefined)
    throw badOption(`--credential has no field ${JSON.stringify(unknown)}`, CREDENTIAL_HINT)
  const [url, username, password, passwordFile] = CREDENTIAL_KEYS.map((key) => String(fields.get(key) ?? ""))
  if (!url || !username) throw badOption("--credential needs url and username", CREDENTIAL_HINT)
  if (!password === !passwordFile)
    throw badOption("--credential needs one of password and password-file", CREDENTIAL_HINT)
  return { url, username, ...(passwordFile ? { passwordFile } : { password }) }
}
