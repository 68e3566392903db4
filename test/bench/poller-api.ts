/** The API server of the bench, in a process of its own. */
import { startFakeApi } from '../fakes/api-server.ts'
import { serve } from './poller-fork.ts'
import { appObjects } from './poller-world.ts'

const api = await startFakeApi()

const methods = {
  /** Holds these apps from now on, whose members answer at the port; gives the path of a kubeconfig. */
  hold(apps: number, port: number): string {
    for (let app = 0; app < apps; app++) {
      for (const [collection, object] of appObjects(app, port)) api.put(collection, object)
    }
    return api.kubeconfig
  },

  /** Writes since the last call, by the last name of their collection; Events too, but no Leases. */
  writes(): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const { method, path } of api.requests.splice(0)) {
      const resource = /\/(observations|events|leases|[a-z]+)(?:\/[^/]+)?(?:\/status)?$/.exec(path)?.[1] ?? path
      if (method !== 'GET' && resource !== 'leases') counts[resource] = (counts[resource] ?? 0) + 1
    }
    return counts
  },

  /** Apps that have been reported, with every member reachable. */
  reported(): number {
    const reports = api
      .objects('/apis/metacontroller.kaspr.io/v1alpha1/observations')
      .map(({ status }) => (status as { kasprApp?: { reachable: string } } | undefined)?.kasprApp)
    return reports.filter((report) => report?.reachable === '3/3').length
  },

  close: () => api.close(),
}

export type Api = typeof methods

serve(methods)
