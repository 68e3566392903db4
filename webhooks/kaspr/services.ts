import type { KubeObject } from '../contract/types.ts'
import { childRules } from './app-view.ts'
import { child } from './child.ts'
import { appLabels, appNames, appSelector } from './names.ts'

/** The two Services of an app: one address for its API, and one name per member. */
export function services(parent: KubeObject, webPort: number): KubeObject[] {
  const { name } = parent.metadata
  const names = appNames(name)
  const selector = appSelector(name)
  const ports = [{ name: 'http', protocol: 'TCP', port: webPort, targetPort: webPort }]
  const labels = appLabels(name)
  return [
    child(childRules.service, parent, names.apiService, labels, { spec: { type: 'ClusterIP', selector, ports } }),
    child(childRules.service, parent, names.headlessService, labels, {
      // Members find each other before they are ready.
      spec: { clusterIP: 'None', publishNotReadyAddresses: true, selector, ports },
    }),
  ]
}
