/** Rollouts of the StatefulSet `default/web` on a stack without pollers, whose part is played by hand. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import type { Stack } from './stack.ts'
import { until } from './until.ts'

interface Controller extends KubeObject {
  spec: { hooks: { sync: { webhook: { url?: string } } } }
}

/** The set, the hook's order, and what a poller would do about it. */
export class PlayedRollouts {
  readonly #stack: Stack

  private constructor(stack: Stack) {
    this.#stack = stack
  }

  /** Installs the controller and a set whose four pods are ready and reported. */
  static async begin(stack: Stack): Promise<PlayedRollouts> {
    const rollouts = new PlayedRollouts(stack)
    const controller = parse(readFileSync(packagePath('metacontroller', 'rollouts.yaml'), 'utf8')) as Controller
    controller.spec.hooks.sync.webhook.url = `${stack.hooks.url}/rollouts/sync`
    await rollouts.apply(controller)
    await rollouts.apply(webSet('web:1'))
    const isAsked = async (): Promise<boolean> => (await rollouts.get('observation/rollout-web')) !== undefined
    await until('the Observation', isAsked, { limitMs: 60_000 })
    const allReady = async (): Promise<boolean> => {
      const set = await rollouts.get('statefulset/web')
      return (set?.['status'] as { readyReplicas?: number } | undefined)?.readyReplicas === 4
    }
    await until('pods', allReady, { limitMs: 60_000 })
    await rollouts.report()
    return rollouts
  }

  async apply(object: KubeObject): Promise<void> {
    await this.#stack.plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) })
  }

  async get<T = KubeObject>(...args: string[]): Promise<T | undefined> {
    const all = ['-n', 'default', 'get', ...args, '-o', 'json']
    const { code, stdout } = await this.#stack.plane.kubectl(all, { allowFailure: true })
    return code === 0 ? (JSON.parse(stdout) as T) : undefined
  }

  /** The value of an annotation that the hook has written. */
  async record(key: string): Promise<string | undefined> {
    return (await this.get('statefulset/web'))?.metadata.annotations?.[`rollout-operator/${key}`]
  }

  /** Writes the facts, as a poller would report them. */
  async report(): Promise<void> {
    const set = await this.get('statefulset/web')
    const list = await this.get<{ items: KubeObject[] }>('pods', '-l', 'app=web')
    const status = { rollout: { setUid: set?.metadata.uid, pods: (list?.items ?? []).map(reported) } }
    const patch = ['--subresource=status', '--type=merge', '-p', JSON.stringify({ status })]
    await this.#stack.plane.kubectl(['-n', 'default', 'patch', 'observation/rollout-web', ...patch])
  }

  /** Reports and deletes until the rollout is done. @returns the batches in their order */
  async finish(): Promise<number[][]> {
    const deleted: number[][] = []
    const next = async (): Promise<boolean> => {
      await this.report()
      if ((await this.record('state')) === 'done') return true
      const observation = await this.get('observation/rollout-web')
      const { rollout } = observation?.['spec'] as { rollout: { batch?: { ordinals: number[] } } }
      const batch = rollout.batch?.ordinals ?? []
      if (batch.length === 0 || JSON.stringify(batch) === JSON.stringify(deleted.at(-1))) return false
      deleted.push(batch)
      const names = batch.map((ordinal) => `web-${ordinal}`)
      await this.#stack.plane.kubectl(['-n', 'default', 'delete', 'pod', '--wait=false', ...names])
      return false
    }
    await until('the end', next, { limitMs: 120_000 })
    return deleted
  }
}

/** The set with this image. @param annotations what its owner asks for */
export function webSet(image: string, annotations: Record<string, string> = {}): KubeObject {
  const labels = { app: 'web' }
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'web', namespace: 'default', labels: { 'rollout-operator/enabled': 'true' }, annotations },
    spec: {
      replicas: 4,
      serviceName: 'web',
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'OnDelete' },
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', image }] } },
    },
  }
}

function reported({ metadata, status }: KubeObject): object {
  const { conditions } = status as { conditions?: { type: string; status: string; lastTransitionTime: string }[] }
  const ready = conditions?.find(({ type }) => type === 'Ready')
  return {
    uid: metadata.uid,
    ordinal: Number(metadata.labels?.['apps.kubernetes.io/pod-index']),
    revision: metadata.labels?.['controller-revision-hash'],
    ...(ready?.status === 'True' ? { readySince: ready.lastTransitionTime } : { reason: 'Pending' }),
    ...(metadata.deletionTimestamp === undefined ? {} : { terminating: true }),
  }
}
