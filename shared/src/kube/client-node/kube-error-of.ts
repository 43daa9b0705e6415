import { KubeError } from "../kube-error.ts"
import { kubeErrorOfAnswer } from "../protocol/kube-answer.ts"

/** Any error of client-node or its dispatcher as a KubeError; `what` says what was asked. Everything in it is read defensively. */
export function kubeErrorOf(what: string, error: unknown): KubeError {
  if (error instanceof KubeError) return error
  const status = error instanceof Error ? Reflect.get(error, "statusCode") : undefined
  if (typeof status === "number") return kubeErrorOfAnswer(what, status, "")
  if (error instanceof Error && typeof Reflect.get(error, "path") === "string") {
    // A file of the credentials has gone: the caller reads the kubeconfig again, which names it.
    return new KubeError("kube/unauthorized", `${what}: a file of the credentials cannot be read`, {
      cause: error,
    })
  }
  if (error instanceof Error && error.name === "TimeoutError") {
    return new KubeError("kube/timeout", `${what}: silence`, { cause: error })
  }
  return new KubeError("kube/unavailable", `${what}: no answer, or a broken one`, { cause: error })
}
