import type { ErrorMeanings } from "../foundation/errors.ts"

/** The codes that `kube` declares, as docs/reference/errors.md explains them. */
export const kubeErrors = {
  "kube/already-exists": {
    meaning: "An object was to be created and was there already. Headrace reads it and goes on.",
    cause: "Two writers at once.",
    remedy: "Wait: it is tried again; look for a second writer when it returns.",
  },
  "kube/answer-too-large": {
    meaning:
      "An answer of the API server has more bytes than `bounds.answer`, unpacked. The call has failed, and nothing of it is used.",
    cause:
      "A server, or a proxy before it, that does not end its answer; or one object that is far too large.",
    remedy:
      "Check what the kubeconfig's server and proxy-url lead to. Raise `bounds.answer` when the objects are that large.",
  },
  "kube/client-changed": {
    meaning: "The Kubernetes client library lacks what Headrace builds on.",
    cause: "A version of @kubernetes/client-node other than the pinned one.",
    remedy: "Install the pinned dependencies with npm ci.",
  },
  "kube/conflict": {
    meaning: "An object changed between the read and the write. Headrace reads it and tries again.",
    cause: "Two writers at once.",
    remedy: "Wait: it is tried again; look for a second writer when it returns.",
  },
  "kube/forbidden": {
    meaning: "The account may not do what was asked.",
    cause: "A Role or RoleBinding is missing for that namespace.",
    remedy: "Give the account this permission with a Role and a RoleBinding, or leave the namespace out.",
  },
  "kube/gone": {
    meaning:
      "The API server no longer has the version from which a watch was to continue. Headrace lists again.",
    cause: "A watch that was interrupted for long.",
    remedy: "Wait: it is tried again by itself.",
  },
  "kube/invalid": {
    meaning: "The API server refuses the object or the request.",
    cause: "An admission webhook or policy, or a field that the server does not accept.",
    remedy: "Read the server's words in the message, and change the object or the policy that refuses it.",
  },
  "kube/kubeconfig": {
    meaning: "A kubeconfig cannot be used.",
    cause:
      "It or a file that it names is not there, it does not parse, names a context, cluster or user that it does not have, or uses what is not supported.",
    remedy: "Correct the kubeconfig as the message says, and try it with kubectl --kubeconfig FILE version.",
  },
  "kube/kubeconfig-folder": {
    meaning: "The folder of kubeconfigs cannot be read.",
    cause: "A wrong path, or a secret that is not mounted.",
    remedy: "Check its path and permissions.",
  },
  "kube/list-too-large": {
    meaning:
      "The pages of a list, or the objects that are followed, have more bytes together than `bounds.list`.",
    cause: "A selector that matches far more than was meant, or a server that never ends a list.",
    remedy: "Narrow the selector or its namespaces, or raise `bounds.list` and the memory of the program.",
  },
  "kube/lost-write": {
    meaning: "The API server's answer said that an object was created, and it is not there.",
    cause: "A proxy that drops POST requests or answers them itself, or a redirect that turns them into GET.",
    remedy:
      "Check HTTPS_PROXY, NO_PROXY and the kubeconfig's server and proxy-url; exclude the API server in NO_PROXY where the proxy cannot pass POST on.",
  },
  "kube/no-version": {
    meaning: "An object is to be replaced without the version of what was read.",
    cause: "A fault in Headrace.",
    remedy: "Report it with the log.",
  },
  "kube/not-found": {
    meaning: "The object or its namespace is not there.",
    cause: "The namespace was not created, or somebody removed the object.",
    remedy: "Create the namespace, or run headrace-bootstrapper apply for the objects in it.",
  },
  "kube/not-in-cluster": {
    meaning: "The program is set to use the cluster that it runs in, and runs in none.",
    cause: "It runs outside of a pod, or in one without a service account.",
    remedy: "Give a kubeconfig, or run it in a pod with automountServiceAccountToken.",
  },
  "kube/proxy": {
    meaning: "What names the proxy to an API server is no proxy.",
    cause: "A mistake in HTTPS_PROXY, HTTP_PROXY or a kubeconfig's proxy-url, such as a port that is none.",
    remedy:
      "Correct it to http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT, or exclude the server in NO_PROXY.",
  },
  "kube/stale-answers": {
    meaning:
      "The API server's answers contradict each other: an object exists by one of them and not by another.",
    cause: "A cache in between, or a replica of the API server that lags behind for a long time.",
    remedy:
      "Wait: the next wake-up tries again. When it stays, check what the kubeconfig's server and proxy-url lead to, and the replicas of etcd.",
  },
  "kube/timeout": {
    meaning: "The API server did not answer in time. It is tried again.",
    cause: "An overloaded API server, or a network that drops packets.",
    remedy: "Check the API server's load and the network to it.",
  },
  "kube/too-large": {
    meaning: "The object is larger than the API server takes.",
    cause: "More than 1 MiB of keys, or many annotations.",
    remedy: 'Set "gzip: true", spread the rule over "partitioned_names", or set "view: false".',
  },
  "kube/too-many-requests": {
    meaning: "The API server asks for fewer requests. They are sent again after the time that it asks for.",
    cause: "Priority and fairness limits, or an overloaded API server.",
    remedy: "Wait; give Headrace's account a flow schema of its own when it returns.",
  },
  "kube/unauthorized": {
    meaning: "The API server does not know who asks.",
    cause: "An expired or wrong token, certificate or credential plugin.",
    remedy: "Check the token, client certificate or credential plugin of the kubeconfig.",
  },
  "kube/unavailable": {
    meaning: "The API server cannot be reached, or its answer is broken. It is tried again.",
    cause: "A restart, a proxy in between, or the network.",
    remedy: "Check that the API server answers: kubectl get --raw /readyz.",
  },
} as const satisfies ErrorMeanings

declare module "../foundation/errors.ts" {
  interface ErrorCodes extends Record<keyof typeof kubeErrors, unknown> {}
}
