/** The files of examples/rollout: what users copy is enrolled, understood and planned as its comments say. */
import { readFileSync, readdirSync } from 'node:fs'
import t from 'tap'
import { parseAllDocuments } from 'yaml'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { readSettings } from '../../webhooks/environment.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { rolloutConfig } from '../../webhooks/rollout/config.ts'
import { enrolled } from '../../webhooks/rollout/enrolled.ts'
import { hookSettings } from '../../webhooks/settings.ts'
import { at, carriedOut, noon, pods, reportOf, sync } from './rollout-world.ts'

const settings = readSettings(hookSettings, {})
const folder = packagePath('examples', 'rollout')
const text = readFileSync(`${folder}/web.yaml`, 'utf8')

/** Objects as the reader of a version of YAML sees them: kubectl reads 1.1, other tools 1.2. */
function objectsOf(version: '1.1' | '1.2'): KubeObject[] {
  return parseAllDocuments(text, { version }).map((document) => document.toJS() as KubeObject)
}

interface Set extends KubeObject {
  spec: { replicas: number; serviceName: string; selector: { matchLabels: object }; template: { metadata: object } }
}

const [service, set] = objectsOf('1.1') as [KubeObject, Set]

/** The example as Kubernetes has it after a change of its template. */
const changed: KubeObject = {
  ...set,
  metadata: { ...set.metadata, uid: 'uid-web', generation: 2 },
  status: { observedGeneration: 2, replicas: 8, currentRevision: 'web-old', updateRevision: 'web-new' },
}

void t.test('the index and the guide name each file, and the file says how to apply it', async (t) => {
  for (const file of readdirSync(folder)) {
    t.match(readFileSync(packagePath('examples', 'README.md'), 'utf8'), `](rollout/${file})`)
    t.match(readFileSync(packagePath('docs', 'rollout.md'), 'utf8'), `](../examples/rollout/${file})`)
    t.match(readFileSync(`${folder}/${file}`, 'utf8'), `kubectl apply -f examples/rollout/${file}`)
  }
  t.same(objectsOf('1.1'), objectsOf('1.2'), 'readers of YAML 1.1 and 1.2 see the same')
})

void t.test('it is enrolled, its pods are found, and all annotations count', async (t) => {
  t.ok(enrolled(set, settings))
  t.match(set.spec.template.metadata, { labels: set.spec.selector.matchLabels })
  t.match(service, { metadata: { name: set.spec.serviceName }, spec: { selector: set.spec.selector.matchLabels } })
  const config = rolloutConfig(set, settings)
  t.match(config, {
    delaySeconds: 60,
    maxUnavailable: { percent: 25 },
    halfSplit: true,
    gracePeriodSeconds: 20,
    readyTimeoutSeconds: 600,
    paused: false,
    warnings: [],
  })
  for (const key of Object.keys(set.metadata.annotations ?? {})) {
    const without = { metadata: { ...set.metadata, annotations: { ...set.metadata.annotations, [key]: 'x' } } }
    t.equal(rolloutConfig(without, settings).warnings.length, 1, `${key} is read`)
  }
})

void t.test('a change is planned, and after its delay the first two pods of the upper half go', async (t) => {
  const report = reportOf(pods('old old old old old old old old'))
  const planned = sync(changed, report)
  t.match(planned.written, { state: 'planned', 'max-unavailable': '2' })
  const waiting = carriedOut(changed, planned)
  t.match(sync(waiting, report, at(noon + 59)).written, { state: undefined })
  const rolling = sync(waiting, report, at(noon + 61))
  t.match(rolling.written, { state: 'rolling' })
  const batch = sync(carriedOut(waiting, rolling), report, at(noon + 61))
  t.match(batch.written, { 'current-batch-ordinals': '[4, 5]' })
})
