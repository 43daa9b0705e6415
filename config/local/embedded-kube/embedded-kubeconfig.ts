/**
 * A kubeconfig for an embedded server, as YAML. It speaks plain HTTP on loopback, which client-node
 * refuses unless configured to skip verification.
 */
export function embeddedKubeconfig(url: string, token: string): string {
  return `apiVersion: v1
kind: Config
current-context: embedded
clusters:
  - name: embedded
    cluster:
      server: ${url}
      insecure-skip-tls-verify: true
users:
  - name: embedded
    user:
      token: ${JSON.stringify(token)}
contexts:
  - name: embedded
    context: {cluster: embedded, user: embedded}
`
}
