import t from 'tap'
import { appAnnotations, hasStaticMembership, isPaused } from '../../webhooks/kaspr/annotations.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { context } from './requests.ts'

const { settings } = context()

function app(annotations: Record<string, string>): KubeObject {
  return { apiVersion: 'kaspr.io/v1alpha1', kind: 'KasprApp', metadata: { name: 'a', annotations } }
}

void t.test('two annotations know one word', (t) => {
  for (const word of ['true', 'TRUE', 'True']) {
    t.ok(isPaused(app({ 'kaspr.io/pause-reconciliation': word })), word)
    t.notOk(hasStaticMembership(app({ 'kaspr.io/disable-static-group-membership': word })), word)
  }
  for (const word of ['yes', '1', 'on', '', 'false', ' true']) {
    t.notOk(isPaused(app({ 'kaspr.io/pause-reconciliation': word })), word)
    t.ok(hasStaticMembership(app({ 'kaspr.io/disable-static-group-membership': word })), word)
  }
  t.end()
})

void t.test('an annotation overrides the setting, with any of its words', (t) => {
  const rows: [value: string | undefined, setting: boolean, on: boolean, warnings: number][] = [
    [undefined, true, true, 0],
    [undefined, false, false, 0],
    ['YES', false, true, 0],
    ['1', false, true, 0],
    ['True', false, true, 0],
    ['no', true, false, 0],
    ['', true, false, 0],
    ['0', true, false, 0],
    ['on', true, false, 1],
    ['enabled', true, false, 1],
  ]
  for (const [value, setting, on, warnings] of rows) {
    const set = { ...settings, AUTO_REBALANCE_ENABLED: setting, HUNG_MEMBER_DETECTION_ENABLED: setting }
    const of = (name: string): KubeObject => app(value === undefined ? {} : { [name]: value })
    const auto = appAnnotations(of('kaspr.io/auto-rebalance'), set)
    t.equal(auto.autoRebalance, on, `auto-rebalance ${value} over ${setting}`)
    t.equal(auto.warnings.length, warnings)
    const hung = appAnnotations(of('kaspr.io/hung-member-detection-enabled'), set)
    t.equal(hung.hungMembers.enabled, on, `hung-member-detection-enabled ${value} over ${setting}`)
  }
  t.end()
})

void t.test('H6: a threshold that cannot be meant is the default, and said so', (t) => {
  const read = (value: string): [number, number] => {
    const { hungMembers, warnings } = appAnnotations(
      app({ 'kaspr.io/hung-rebalancing-threshold-seconds': value }),
      settings,
    )
    return [hungMembers.thresholdSeconds, warnings.length]
  }
  for (const [value, seconds] of [
    ['600', 600],
    [' 600 ', 600],
    ['+600', 600],
    ['1', 1],
    ['86400', 86_400],
  ] as const) {
    t.strictSame(read(value), [seconds, 0], value)
  }
  for (const value of ['-5', '0', '300.5', 'abc', '', '86401', '1e3', '99999999999999999999']) {
    t.strictSame(read(value), [300, 1], value)
  }
  const long = appAnnotations(app({ 'kaspr.io/hung-rebalancing-threshold-seconds': 'x'.repeat(100_000) }), settings)
  t.ok((long.warnings[0]?.message.length ?? 0) < 200, 'a long value is cut')
  t.match(long.warnings[0], { reason: 'InvalidAnnotation', message: /accepted: a whole number from 1 to 86400/ })
  t.end()
})

void t.test('any value of the rebalance annotation asks for one', (t) => {
  t.equal(appAnnotations(app({ 'kaspr.io/rebalance': 'false' }), settings).manualRebalance, 'false')
  t.equal(appAnnotations(app({ 'kaspr.io/rebalance': '' }), settings).manualRebalance, '')
  t.equal(appAnnotations(app({}), settings).manualRebalance, undefined)
  t.end()
})
