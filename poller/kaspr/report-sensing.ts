import { sameJson } from '../../webhooks/contract/objects.ts'
import { changedFields } from '../../webhooks/sensors/app-facts.ts'
import type { AppEvent, Sensor } from '../../webhooks/sensors/sensor.ts'
import { memberNews } from './member-sensing.ts'
import { PackageSensing } from './package-sensing.ts'
import type { AppPart, KasprAppReport, Look, PartReport } from './part.ts'

/** What sensors have been told of an app. */
interface Told {
  app: AppEvent
  /** Undefined before the first. */
  report: KasprAppReport | undefined
}

/**
 * Tells sensors what changes from one written report to the next: members, installations, fields. It looks at written
 * reports only, one look late: a report that was not written is made again, and would be told twice. The first report
 * that is seen after a start is where it starts from, so a restart tells nothing again.
 */
export class ReportSensing implements AppPart {
  readonly fields = []
  readonly #sensor: Sensor
  readonly #packages: PackageSensing
  /** By uid of the Observation. */
  readonly #told = new Map<string, Told>()

  constructor(sensor: Sensor) {
    this.#sensor = sensor
    this.#packages = new PackageSensing(sensor)
  }

  look({ observation, namespace, spec, previous, pods }: Look): PartReport {
    const uid = observation.metadata.uid ?? ''
    const told = this.#told.get(uid)
    if (told === undefined || told.report !== previous) {
      const app = { app: spec.app.name, namespace }
      this.#told.set(uid, { app, report: previous })
      if (told !== undefined && previous !== undefined)
        this.#tell(uid, app, told.report, previous, podUid(pods, previous))
    }
    return { report: {} }
  }

  forget(uid: string): void {
    const told = this.#told.get(uid)
    this.#told.delete(uid)
    this.#packages.forget(uid)
    if (told !== undefined) this.#sensor.onAppGone(told.app)
  }

  #tell(uid: string, app: AppEvent, before: KasprAppReport | undefined, after: KasprAppReport, pod: string): void {
    const { transitions, gone } = memberNews(before, after)
    for (const transition of transitions) this.#sensor.onMemberStateChange({ ...app, ...transition })
    for (const memberId of gone) this.#sensor.onMemberGone({ ...app, memberId })
    const fields = changedFields(before, { ...after })
    if (fields.length > 0) this.#sensor.onStatusUpdate({ ...app, fields })
    const packages = { before: before?.packages, after: after.packages }
    if (!sameJson(packages.before, packages.after)) this.#packages.changed(uid, app, packages, pod)
  }
}

/** Uid of the pod whose installation is reported; its name where the pod is gone already. */
function podUid(pods: Look['pods'], { packages }: KasprAppReport): string {
  return pods.find(({ metadata }) => metadata.name === packages?.pod)?.metadata.uid ?? packages?.pod ?? ''
}
