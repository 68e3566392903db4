import { createClient } from '../../poller/kube/client.ts'
import type { KubeClient } from '../../poller/kube/client.ts'
import type { Environment } from '../../webhooks/environment.ts'
import { packageVersion } from '../../webhooks/version.ts'
import { UsageError } from '../errors.ts'

/** The StatefulSet that a command is about. */
export interface Target {
  namespace: string
  name: string
}

/** Where a StatefulSet is, and which one it is. */
export interface Address {
  target: Target
  kubeconfig: string | undefined
}

/** Options of every command about a StatefulSet, for parseArgs. */
export const addressOptions = {
  namespace: { type: 'string', short: 'n' },
  sts: { type: 'string' },
  kubeconfig: { type: 'string' },
} as const

/** What the help of every such command says about them. */
export const addressHelp = `  -n, --namespace      namespace of the StatefulSet
      --sts            its name, another way to give NAME
      --kubeconfig     file; default $KUBECONFIG, the pod's service account, ~/.kube/config`

const usage = 'accepted is -n NAMESPACE NAME, or --namespace NAMESPACE --sts NAME'

/**
 * Reads what parseArgs has found.
 *
 * @param positionals names; kubectl's `sts/NAME`, `statefulset/NAME` and `statefulset.apps/NAME` are names, too
 * @throws UsageError unless exactly one StatefulSet is named
 */
export function addressOf(
  values: { namespace?: string | undefined; sts?: string | undefined; kubeconfig?: string | undefined },
  positionals: readonly string[],
  env: Environment,
): Address {
  const names = [...positionals, ...(values.sts === undefined ? [] : [values.sts])]
  const name = names[0]?.replace(/^(sts|statefulsets?)(\.apps)?\//, '')
  if (values.namespace === undefined || values.namespace === '') throw new UsageError(`no namespace given: ${usage}`)
  if (name === undefined || name === '') throw new UsageError(`no StatefulSet given: ${usage}`)
  if (names.length > 1) throw new UsageError(`more than one StatefulSet given (${names.join(', ')}): ${usage}`)
  if (name.includes('/')) throw new UsageError(`${JSON.stringify(name)} is no name of a StatefulSet: ${usage}`)
  return { target: { namespace: values.namespace, name }, kubeconfig: values.kubeconfig ?? env['KUBECONFIG'] }
}

/** A client, and what keeps it from being up to date. */
export interface Access {
  client: KubeClient
  /** In words; undefined while the API server answers. */
  trouble: () => string | undefined
}

/** Runs something with a client of the API server, and closes it at the end. */
export async function withAccess(
  { kubeconfig }: Pick<Address, 'kubeconfig'>,
  use: (access: Access) => Promise<void>,
): Promise<void> {
  let failing: string | undefined
  const client = createClient({
    ...(kubeconfig !== undefined && { kubeconfig }),
    userAgent: `kaspr-metacontroller/${packageVersion()} (rollout)`,
    onRequest: ({ code }) => (failing = failure(code)),
  })
  try {
    await use({ client, trouble: () => failing })
  } finally {
    await client.close()
  }
}

function failure(code: number): string | undefined {
  if (code >= 200 && code < 300) return undefined
  // The beginning has to be enough: on a narrow screen there is no more.
  return `Not up to date (${code === 0 ? 'no answer' : `HTTP ${code}`}): the API server cannot be watched, trying again.`
}
