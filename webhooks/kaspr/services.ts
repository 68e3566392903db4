import type { KubeObject } from '../contract/types.ts'
import type { AppSpec } from './app-spec.ts'
import { child, childRules } from './child.ts'
import { appLabels, appNames, appSelector } from './names.ts'

/** The two Services of an app: one address for its API, and one name per member. They are selected by our labels, which win. */
export function services(parent: Pick<KubeObject, 'metadata'>, webPort: number, { template }: AppSpec): KubeObject[] {
  const { name } = parent.metadata
  const names = appNames(name)
  const selector = appSelector(name)
  const ports = [{ name: 'http', protocol: 'TCP', port: webPort, targetPort: webPort }]
  const { labels: userLabels, annotations } = template?.service?.metadata ?? {}
  const labels = { ...userLabels, ...appLabels(name) }
  return [
    child(childRules.service, parent, names.apiService, labels, {
      ...(annotations === undefined ? {} : { annotations }),
      spec: { type: 'ClusterIP', selector, ports },
    }),
    child(childRules.service, parent, names.headlessService, labels, {
      ...(annotations === undefined ? {} : { annotations }),
      // Members find each other before they are ready.
      spec: { clusterIP: 'None', publishNotReadyAddresses: true, selector, ports },
    }),
  ]
}
