import type { Test } from 'tap'
import { createClient } from '../../poller/kube/client.ts'
import type { KubeClient } from '../../poller/kube/client.ts'
import { startFakeApi } from './api-server.ts'
import type { FakeApi } from './api-server.ts'

/** A fake API server and the poller's client of it, until the test ends. */
export async function startApiWithClient(t: Test): Promise<{ api: FakeApi; client: KubeClient }> {
  const api = await startFakeApi()
  const client = createClient({ kubeconfig: api.kubeconfig })
  t.teardown(async () => {
    await client.close()
    await api.close()
  })
  return { api, client }
}
