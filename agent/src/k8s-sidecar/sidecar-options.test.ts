import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { withFolder } from "@headrace/test/harness/with-folder"
import { expect, it, vi } from "vitest"
import { sidecarHelp } from "./k8s-sidecar.ts"
import { SIDECAR_OPTIONS, SIDECAR_VERSION } from "./sidecar-options.ts"
import { sidecarSettings } from "./sidecar-settings.ts"

/** The variables of k8s-sidecar 2.10.1 (README, and what its sources read). */
const VARIABLES =
  `LABEL LABEL_VALUE FOLDER FOLDER_ANNOTATION NAMESPACE RESOURCE RESOURCE_NAME METHOD SLEEP_TIME REQ_URL
  REQ_METHOD REQ_PAYLOAD REQ_RETRY_TOTAL REQ_RETRY_CONNECT REQ_RETRY_READ REQ_RETRY_BACKOFF_FACTOR REQ_TIMEOUT
  REQ_USERNAME REQ_PASSWORD REQ_USERNAME_FILE REQ_PASSWORD_FILE REQ_BASIC_AUTH_ENCODING REQ_SKIP_INIT SCRIPT
  ERROR_THROTTLE_SLEEP SKIP_TLS_VERIFY DISABLE_X509_STRICT_VERIFICATION REQ_SKIP_TLS_VERIFY REQUESTS_CA_BUNDLE UNIQUE_FILENAMES
  DEFAULT_FILE_MODE KUBECONFIG ENABLE_5XX WATCH_SERVER_TIMEOUT WATCH_CLIENT_TIMEOUT IGNORE_ALREADY_PROCESSED LOG_LEVEL
  LOG_FORMAT LOG_TZ LOG_CONFIG HEALTH_PORT HEALTH_HOST`.split(/\s+/)
const NEEDED = { LABEL: "l", FOLDER: "/f" }

it(`lists every variable of k8s-sidecar ${SIDECAR_VERSION}, each honoured or with a reason`, () => {
  expect(Object.keys(SIDECAR_OPTIONS).sort()).toEqual([...VARIABLES].sort())
  for (const [name, option] of Object.entries(SIDECAR_OPTIONS)) {
    expect(option.verdict === "honoured" || option.reason, name).toBeTruthy()
    expect(sidecarHelp()).toContain(name)
    expect(
      sidecarHelp()
        .split("\n")
        .filter((line) => line.length > 80),
    ).toEqual([])
  }
})

it("has k8s-sidecar's defaults", () => {
  expect(sidecarSettings(NEEDED)).toMatchObject({
    folder: "/f",
    folderAnnotation: "k8s-sidecar-target-directory",
    labelSelector: "l",
    namespaces: undefined,
    kinds: ["ConfigMap"],
    method: "WATCH",
    sleep: 60_000,
    mode: 0o444,
    call: undefined,
    listen: ":8080",
    remarks: [],
  })
  expect(sidecarSettings({ ...NEEDED, METHOD: "anything", REQ_URL: "https://x/" }).call).toMatchObject({
    method: "GET",
    retries: { total: 5, connect: 10, read: 5, backoff: 1100 },
    timeout: 10_000,
    skipFirst: false,
  })
})

it("takes a variable that a template left empty as one that is not there", () => {
  const env = {
    ...NEEDED,
    DEFAULT_FILE_MODE: "",
    HEALTH_PORT: "",
    SLEEP_TIME: "",
    LABEL_VALUE: "",
    METHOD: "",
  }
  expect(sidecarSettings(env)).toEqual(sidecarSettings(NEEDED))
})

it("takes a kubeconfig that is there, else that of its user, else the pod's service account", async () => {
  await withFolder(async (folder) => {
    const file = join(folder, ".kube/config")
    await mkdir(join(folder, ".kube"))
    vi.stubEnv("HOME", folder)
    try {
      expect(sidecarSettings(NEEDED).kubeconfig).toBeUndefined()
      await writeFile(file, "")
      expect(sidecarSettings(NEEDED).kubeconfig).toBe(file)
      const passedOver = sidecarSettings({ ...NEEDED, KUBECONFIG: join(folder, "none") })
      expect(passedOver.kubeconfig).toBeUndefined()
      expect(passedOver.remarks).toEqual([expect.stringContaining("none is not there")])
      expect(sidecarSettings({ ...NEEDED, KUBECONFIG: file }).kubeconfig).toBe(file)
    } finally {
      vi.unstubAllEnvs()
    }
  })
})

it("takes its two flags, which win over variables", () => {
  const env = { ...NEEDED, REQ_URL: "http://x/", REQ_USERNAME_FILE: "/a" }
  const { call } = sidecarSettings(env, ["--req-username-file=/b", "--req-password-file", "/c"])
  expect(call?.login).toMatchObject({ usernameFile: "/b", passwordFile: "/c" })
})

it("names what has no effect, and the write bits that it leaves out", () => {
  const env = {
    ...NEEDED,
    LOG_CONFIG: "/etc/log.yaml",
    LOG_TZ: "LOCAL",
    SKIP_TLS_VERIFY: "true",
    DEFAULT_FILE_MODE: "666",
  }
  expect(sidecarSettings(env).remarks).toEqual([
    expect.stringContaining("LOG_CONFIG has no effect here."),
    expect.stringContaining(
      "SKIP_TLS_VERIFY has no effect here. The API server's certificate is always verified.",
    ),
    "DEFAULT_FILE_MODE 666 is taken as 444: revisions share their files.",
  ])
})

it.each([
  [{ LABEL: "" }, "LABEL is not set"],
  [{ FOLDER: "" }, "FOLDER is not set"],
  [{ RESOURCE: "pods" }, 'RESOURCE is "pods", expected configmap, secret or both'],
  [{ SLEEP_TIME: "often" }, 'SLEEP_TIME is "often", expected a number'],
  [{ DEFAULT_FILE_MODE: "rw" }, "expected three octal digits"],
  [{ REQ_URL: "localhost" }, "REQ_URL"],
  [{ REQ_URL: "http://x", REQ_METHOD: "PUT" }, 'REQ_METHOD is "PUT", expected GET or POST'],
  [{ RESOURCE_NAME: "a/b/c/d" }, "RESOURCE_NAME"],
])("refuses %j", (env, message) => {
  expect(() => sidecarSettings({ ...NEEDED, ...env })).toThrow(
    expect.objectContaining({ code: "sidecar/bad-option", message: expect.stringContaining(message) }),
  )
})
