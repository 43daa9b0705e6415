/** The rules file of Prometheus as an object of its operator (monitoring.coreos.com/v1). */
export function prometheusRule(plain: string): string {
  const groups = plain.slice(plain.indexOf("groups:"))
  const spec = groups.replaceAll(/^(?=.)/gm, "  ")
  return `# Generated from config/monitoring/alerts.yaml: vitest run test/monitoring --update=all. Do not edit.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: headrace
  namespace: headrace
  labels:
    app.kubernetes.io/name: headrace
spec:
${spec}`
}
