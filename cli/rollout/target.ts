import { createClient } from '../../poller/kube/client.ts'
import type { KubeClient } from '../../poller/kube/client.ts'
import { contextInUse } from '../../poller/kube/credentials.ts'
import type { ClusterChoice, ContextInUse } from '../../poller/kube/credentials.ts'
import { KubeconfigError } from '../../poller/kube/kubeconfig.ts'
import type { Environment } from '../../webhooks/environment.ts'
import { packageVersion } from '../../webhooks/version.ts'
import { InputError, UsageError } from '../errors.ts'

/** The StatefulSet that a command is about. */
export interface Target {
  namespace: string
  name: string
}

/** What a user says of where a StatefulSet is, and which one it is. */
export interface Address {
  name: string
  /** Undefined for that of the context in use. */
  namespace: string | undefined
  cluster: ClusterChoice
}

/** Whether a command insists on a namespace, or takes that of the context in use, as kubectl does. */
export type NamespaceRule = 'required' | 'optional'

/** Options of every command about a StatefulSet, for parseArgs. */
export const addressOptions = {
  namespace: { type: 'string', short: 'n' },
  sts: { type: 'string' },
  context: { type: 'string' },
  kubeconfig: { type: 'string' },
} as const

/** How such a command is called, after its name. */
export const addressUsage: Record<NamespaceRule, string> = {
  required: '-n NAMESPACE NAME',
  optional: '[-n NAMESPACE] NAME',
}

const accepted: Record<NamespaceRule, string> = {
  required: `accepted is ${addressUsage.required}, or --namespace NAMESPACE --sts NAME`,
  optional: `accepted is ${addressUsage.optional}, or [--namespace NAMESPACE] --sts NAME`,
}

/** What the help of every such command says about these options. */
export function addressHelp(rule: NamespaceRule): string {
  const otherwise = rule === 'required' ? '' : '; default that of the context or of the pod, else "default"'
  return `  -n, --namespace      namespace of the StatefulSet${otherwise}
      --sts            its name, another way to give NAME
      --context        context of the kubeconfig; default its current one
      --kubeconfig     file; default $KUBECONFIG, the pod's service account, ~/.kube/config`
}

/**
 * Reads what parseArgs has found.
 *
 * @param positionals names; kubectl's `sts/NAME`, `statefulset/NAME` and `statefulset.apps/NAME` are names, too
 * @throws UsageError unless exactly one StatefulSet is named
 */
export function addressOf(
  values: { [option in keyof typeof addressOptions]?: string | undefined },
  positionals: readonly string[],
  env: Environment,
  rule: NamespaceRule,
): Address {
  const { namespace, context, kubeconfig } = values
  const usage = accepted[rule]
  const names = [...positionals, ...(values.sts === undefined ? [] : [values.sts])]
  const name = names[0]?.replace(/^(sts|statefulsets?)(\.apps)?\//, '')
  // A variable of a script that is empty by mistake must not lead to another namespace or cluster than it says.
  if (namespace === '' || (namespace === undefined && rule === 'required')) {
    throw new UsageError(`no namespace given: ${usage}`)
  }
  if (context === '') throw new UsageError('--context "": accepted is the name of a context')
  if (name === undefined || name === '') throw new UsageError(`no StatefulSet given: ${usage}`)
  if (names.length > 1) throw new UsageError(`more than one StatefulSet given (${names.join(', ')}): ${usage}`)
  if (name.includes('/')) throw new UsageError(`${JSON.stringify(name)} is no name of a StatefulSet: ${usage}`)
  return { name, namespace, cluster: { kubeconfig, context, env } }
}

/** A client, the set it is for, and what keeps the client from being up to date. */
export interface Access {
  client: KubeClient
  target: Target
  /** In words; undefined while the API server answers. */
  trouble: () => string | undefined
}

/**
 * Runs something with a client of the API server, and closes it at the end.
 *
 * @throws InputError for a context that cannot be used
 */
export async function withAccess(
  { name, namespace, cluster }: Address,
  use: (access: Access) => Promise<void>,
): Promise<void> {
  const inUse = await explainedContext(cluster)
  let failing: string | undefined
  const client = createClient({
    ...cluster,
    // Whoever makes another context the current one meanwhile does not mean this command.
    context: inUse.context,
    userAgent: `kaspr-metacontroller/${packageVersion()} (rollout)`,
    onRequest: ({ code }) => (failing = failure(code)),
  })
  try {
    await use({ client, target: { namespace: namespace ?? inUse.namespace, name }, trouble: () => failing })
  } finally {
    await client.close()
  }
}

async function explainedContext(cluster: ClusterChoice): Promise<ContextInUse> {
  try {
    return await contextInUse(cluster)
  } catch (error) {
    if (error instanceof KubeconfigError) throw new InputError(error.message)
    throw error
  }
}

function failure(code: number): string | undefined {
  if (code >= 200 && code < 300) return undefined
  // The beginning has to be enough: on a narrow screen there is no more.
  return `Not up to date (${code === 0 ? 'no answer' : `HTTP ${code}`}): the API server cannot be watched, trying again.`
}
