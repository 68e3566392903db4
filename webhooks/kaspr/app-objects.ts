import { withText } from '../contract/json-text.ts'
import type { KubeObject } from '../contract/types.ts'
import type { Declared } from './app-rendering.ts'
import type { AppSpec } from './app-spec.ts'
import { autoscaler } from './autoscaler.ts'
import { child, childRules } from './child.ts'
import type { RuntimeConfig } from './config.ts'
import { appLabels, appNames } from './names.ts'
import { services } from './services.ts'

/** Objects of an app that depend on what is declared alone, whatever is observed. */
export interface DeclaredObjects {
  serviceAccount: KubeObject
  configMap: KubeObject
  services: KubeObject[]
  /** None for an app that is to have no members. */
  autoscaler: KubeObject[]
}

/** The objects of a valid app that depend on what is declared alone. */
export function declaredObjects(declared: Declared, spec: AppSpec, config: RuntimeConfig): DeclaredObjects {
  const { name } = declared.metadata
  const settings = child(childRules.configMap, declared, appNames(name).config, appLabels(name), {
    data: Object.fromEntries(config.variables),
  })
  return {
    serviceAccount: withText(serviceAccount(declared, spec)),
    configMap: withText(settings),
    services: services(declared, config.webPort, spec).map(withText),
    autoscaler: spec.replicas > 0 ? [withText(autoscaler(declared, spec.replicas, declared.settings))] : [],
  }
}

/** Here labels of the user win: nothing selects a ServiceAccount, and an identity of a cloud may want its own. */
function serviceAccount(declared: Declared, { template }: AppSpec): KubeObject {
  const { name } = declared.metadata
  const { labels, annotations } = template?.serviceAccount?.metadata ?? {}
  return child(
    childRules.serviceAccount,
    declared,
    appNames(name).serviceAccount,
    { ...appLabels(name), ...labels },
    annotations === undefined ? {} : { annotations },
  )
}
