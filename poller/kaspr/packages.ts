import type { ObservationStatus } from '../../crds/types/observation.ts'
import type { AppPart, Look } from './part.ts'

/** `status.kasprApp.packages` of an Observation. */
type PackagesReport = NonNullable<NonNullable<ObservationStatus['kasprApp']>['packages']>

/** The install container of a pod as it is reported. */
export type Install = Omit<PackagesReport, 'pod'>

interface ContainerState {
  waiting?: { reason?: string; message?: string }
  running?: object
  terminated?: { exitCode: number; message?: string }
}

/** A container's status in a pod, as far as it is read. */
export interface ContainerStatus {
  name: string
  state?: ContainerState
  lastState?: ContainerState
}

const containerName = 'install-packages'

/**
 * What the kubelet says of the install container: its own words reach us in its termination message, so nobody has to
 * run anything in a pod (which would take the right to `pods/exec`).
 */
export function installOf(
  containers: readonly { name: string; args?: string[] }[] | undefined,
  statuses: readonly ContainerStatus[] | undefined,
): Install | undefined {
  const status = statuses?.find(({ name }) => name === containerName)
  if (status?.state === undefined) return undefined
  const { waiting, terminated } = status.state
  const args = containers?.find(({ name }) => name === containerName)?.args ?? []
  const option = args.indexOf('--set')
  const set = option < 0 ? undefined : args[option + 1]
  return Object.assign(stateOf(waiting, terminated, status.lastState?.terminated), set !== undefined && { set })
}

function stateOf(
  waiting: ContainerState['waiting'],
  terminated: ContainerState['terminated'],
  last: ContainerState['terminated'],
): Omit<Install, 'set'> {
  if (waiting !== undefined) {
    const { reason } = waiting
    const message = last?.message ?? waiting.message
    return { state: 'waiting', ...(reason !== undefined && { reason }), ...(message !== undefined && { message }) }
  }
  if (terminated === undefined) return { state: 'running' }
  const { exitCode, message } = terminated
  return { state: 'terminated', exitCode, ...(message !== undefined && { message }) }
}

/** Reports how the installation of an app's Python packages goes: in a pod that installs the wanted set, if there is one. */
export const packages: AppPart = {
  fields: ['packages'],
  look({ spec, pods }: Look) {
    if (spec.packages === undefined) return { report: {} }
    const wanted = spec.packages.set
    const installing = pods
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .sort((a, b) => ordinal(a.metadata.name) - ordinal(b.metadata.name))
      .flatMap(({ metadata, install }) => (install === undefined ? [] : [{ pod: metadata.name, ...install }]))
    const chosen = installing.find(({ set }) => set === wanted) ?? installing[0]
    return { report: chosen === undefined ? {} : { packages: chosen } }
  },
}

function ordinal(name: string): number {
  return Number(name.slice(name.lastIndexOf('-') + 1))
}
