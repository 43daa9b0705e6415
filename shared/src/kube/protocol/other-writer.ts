/** Who owns the fields that we write, in managedFields. */
export const FIELD_MANAGER = "headrace"

/**
 * The manager with the latest time, ourselves left out: `hook` or `config-bootstrapper` for Prow, `kubectl-edit` for
 * a person. Undefined when no other writer is noted.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
export function otherWriter(
  managedFields: readonly { manager?: string; time?: string | Date }[],
): string | undefined {
  const others = managedFields.filter(({ manager }) => manager && manager !== FIELD_MANAGER)
  const latest = others.sort((a, b) => millisecondsOf(a.time) - millisecondsOf(b.time)).at(-1)
  return latest?.manager
}

function millisecondsOf(time: string | Date | undefined): number {
  return time === undefined ? 0 : new Date(time).getTime()
}
