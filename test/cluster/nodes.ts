import type { KubeObject } from '../../webhooks/contract/types.ts'
import type { KubeClient } from '../../poller/kube/client.ts'

interface Node extends KubeObject {
  spec: { taints?: unknown[] }
  status?: { conditions?: { type: string; status: string }[] }
}

/** Creates `node-0` to `node-<count - 1>`, which kwok takes over. */
export async function createNodes(client: KubeClient, count: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, index) => {
      const name = `node-${index}`
      const metadata = { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } }
      return client.request({
        method: 'POST',
        path: '/api/v1/nodes',
        body: { apiVersion: 'v1', kind: 'Node', metadata },
      })
    }),
  )
}

/** Whether so many nodes are Ready and take pods (kube-controller-manager has removed the taint of new nodes). */
export async function nodesReady(client: KubeClient, count: number): Promise<boolean> {
  const { items } = await client.request<{ items: Node[] }>({ path: '/api/v1/nodes' })
  const ready = items.filter(
    ({ spec, status }) =>
      (spec.taints ?? []).length === 0 &&
      status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
  )
  return ready.length >= count
}
