/** The version of k8s-sidecar whose README the list below follows. */
export const SIDECAR_VERSION = "2.10.1"

/** One variable of k8s-sidecar. */
export interface SidecarOption {
  /** `honoured`; `without-effect`: accepted, and a log line gives `reason`. */
  verdict: "honoured" | "without-effect"
  default?: string
  meaning: string
  /** Why it has no effect, or what differs. */
  reason?: string
}

/** Every variable that k8s-sidecar reads. */
export const SIDECAR_OPTIONS = {
  LABEL: honoured("label to select by; required"),
  LABEL_VALUE: honoured("its value; absent: any"),
  FOLDER: honoured("folder to put files in; required"),
  FOLDER_ANNOTATION: honoured("annotation with another folder", "k8s-sidecar-target-directory", {
    reason: "The folder must be inside FOLDER: a ConfigMap's author chooses no other place.",
  }),
  NAMESPACE: honoured("namespaces, with commas between them; ALL: all; absent: the pod's own"),
  RESOURCE: honoured("configmap, secret or both", "configmap"),
  RESOURCE_NAME: honoured("names in place of a label: NAME, TYPE/NAME or NAMESPACE/TYPE/NAME"),
  METHOD: honoured("WATCH, SLEEP, or LIST, which ends after the first time", "WATCH"),
  SLEEP_TIME: honoured("seconds between reads of METHOD SLEEP", "60"),
  REQ_URL: honoured("URL to call after each change"),
  REQ_METHOD: honoured("GET or POST", "GET"),
  REQ_PAYLOAD: honoured("JSON to send with POST"),
  REQ_RETRY_TOTAL: honoured("most retries of a call", "5"),
  REQ_RETRY_CONNECT: honoured("most retries of a call that nobody takes", "10"),
  REQ_RETRY_READ: honoured("most retries of a call whose answer breaks off", "5"),
  REQ_RETRY_BACKOFF_FACTOR: honoured("seconds before the second retry; doubled for each later one", "1.1"),
  REQ_TIMEOUT: honoured("seconds that a call may take", "10"),
  REQ_USERNAME: honoured("user of basic authentication"),
  REQ_PASSWORD: honoured("its password"),
  REQ_USERNAME_FILE: honoured("file that holds the user; also --req-username-file"),
  REQ_PASSWORD_FILE: honoured("file that holds the password; also --req-password-file"),
  REQ_BASIC_AUTH_ENCODING: honoured("latin1 or utf-8", "latin1"),
  REQ_SKIP_INIT: honoured("true: no call after the first read", "false"),
  REQ_SKIP_TLS_VERIFY: honoured("true: calls accept any certificate"),
  REQUESTS_CA_BUNDLE: honoured("file of the authorities that calls trust, in place of the usual ones"),
  SCRIPT: honoured("program to run after each change, before REQ_URL; by sh when it is not executable"),
  UNIQUE_FILENAMES: honoured("true: namespace_NAMESPACE.TYPE_NAME.KEY", "false"),
  DEFAULT_FILE_MODE: honoured("permission bits of files, three octal digits", "444", {
    reason: "Write bits are left out: revisions share their files.",
  }),
  KUBECONFIG: honoured("kubeconfig; not there: the pod's own service account", "~/.kube/config"),
  HEALTH_PORT: honoured("port of /healthz; without it when another program has the port", "8080"),
  HEALTH_HOST: honoured("address of /healthz; absent: all"),
  LOG_LEVEL: honoured("DEBUG, INFO, WARN, ERROR or CRITICAL", "INFO"),
  LOG_FORMAT: without("JSON", "Log lines are JSON."),
  LOG_TZ: without("LOCAL", "Times are UTC."),
  LOG_CONFIG: without("", "It configures Python's logging, which is not used."),
  ERROR_THROTTLE_SLEEP: without("5", "A failed read is retried after 0.1 to 3 seconds, with jitter."),
  SKIP_TLS_VERIFY: without(
    "",
    "The API server's certificate is always verified. Give its authority in KUBECONFIG.",
  ),
  DISABLE_X509_STRICT_VERIFICATION: without("", "It configures Python's TLS, which is not used."),
  ENABLE_5XX: honoured("true: a call that is answered with 5xx is not repeated", "false"),
  WATCH_SERVER_TIMEOUT: without("60", "A watch ends and begins again by itself."),
  WATCH_CLIENT_TIMEOUT: without("66", "A watch without a sign of life is replaced by itself."),
  IGNORE_ALREADY_PROCESSED: without("", "Unchanged objects never change a file."),
} as const satisfies Record<string, SidecarOption>

export type SidecarOptionName = keyof typeof SIDECAR_OPTIONS

/** What a user of k8s-sidecar can rely on beyond its variables and does not find here, by name. */
export const SIDECAR_NOT_PROVIDED = [
  {
    name: "keys that end in .url",
    reason:
      "They are left out, and a log line names them: what a ConfigMap's author wrote would choose a URL for this process to fetch.",
  },
  {
    name: "HTTP_PROXY, HTTPS_PROXY",
    reason: "Calls go to REQ_URL itself: it is in the same pod, and a proxy would see the login.",
  },
  {
    name: "what has LABEL where RESOURCE_NAME names nothing",
    reason:
      "With RESOURCE_NAME only objects that it names are shown; k8s-sidecar shows what has LABEL in a namespace, or of a type, in which none is named.",
  },
  {
    name: "one file at a time",
    reason:
      "All objects of a moment are one revision, which is shown by one rename: FOLDER/NAME is a link, as in a kubelet's mount.",
  },
  {
    name: "the last one wins",
    reason:
      "Of two objects with one path the first by namespace, kind and name is shown, and a log line names the other: with k8s-sidecar it changes with the order of events.",
  },
] as const

function honoured(meaning: string, standard?: string, extra: { reason?: string } = {}): SidecarOption {
  return { verdict: "honoured", meaning, ...(standard === undefined ? {} : { default: standard }), ...extra }
}

function without(standard: string, reason: string): SidecarOption {
  return { verdict: "without-effect", default: standard, meaning: "no effect", reason }
}
