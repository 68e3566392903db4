/** Group and version of all Kaspr kinds. */
export const kasprApiVersion = 'kaspr.io/v1alpha1'

/** Label that links a component to its app: same namespace, value is the app's name. */
export const appLabel = 'kaspr.io/app'

/** Names of everything that belongs to the app called `name`. They are contracts: the runtime derives Kafka ids from them. */
export function appNames(name: string): {
  statefulSet: string
  serviceAccount: string
  headlessService: string
  apiService: string
  config: string
  tables: string
  autoscaler: string
  packagesVolume: string
  packagesClaim: string
  observation: string
} {
  const component = `${name}-app`
  return {
    statefulSet: component,
    serviceAccount: component,
    headlessService: component,
    apiService: `${component}-api`,
    config: `${component}-config`,
    tables: `${component}-pv`,
    autoscaler: `${component}-hpa`,
    packagesVolume: `${component}-packages`,
    packagesClaim: `${component}-python-packages`,
    observation: `kasprapp-${name}`,
  }
}

/** Labels by which Services and StatefulSet select the pods of an app. Immutable on the StatefulSet. */
export function appSelector(name: string): Record<string, string> {
  return { 'kaspr.io/cluster': name, 'kaspr.io/name': `${name}-app`, 'kaspr.io/kind': 'KasprApp' }
}

/** Labels of an app's objects and pods. */
export function appLabels(name: string): Record<string, string> {
  return {
    'kaspr.io/kind': 'KasprApp',
    'kaspr.io/name': `${name}-app`,
    'kaspr.io/cluster': name,
    'kaspr.io/component-type': 'KasprApp',
    'app.kubernetes.io/name': 'KasprApp',
    'app.kubernetes.io/instance': name,
    'app.kubernetes.io/part-of': `kaspr-${name}`,
    'app.kubernetes.io/managed-by': 'kaspr-operator',
    [appLabel]: name,
  }
}

/** Whether an object can have this name: a DNS subdomain. */
export function isObjectName(name: string): boolean {
  return name.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name)
}
