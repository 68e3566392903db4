/** A variable of a container: a literal value, or where it comes from. */
export interface EnvVar {
  name: string
  value?: string
  valueFrom?: unknown
}

/**
 * Variables with unique names: an entry of the user replaces ours in place, and of several with one name the last counts, as in
 * the container. (Metacontroller merges lists by name: a name that occurs twice is written differently by create and update, and
 * rolls the pods twice.)
 */
export function withOverrides(ours: readonly EnvVar[], theirs: readonly EnvVar[] = []): EnvVar[] {
  return [...new Map([...ours, ...theirs].map((variable) => [variable.name, variable])).values()]
}
