/** What several parts report together, and what becomes of it when one of them throws. */
import t from 'tap'
import { observationStatusSchema } from '../../crds/types/observation.ts'
import type { Act } from '../../poller/controller.ts'
import { appReport } from '../../poller/kaspr/app-report.ts'
import { Attempts } from '../../poller/kaspr/attempts.ts'
import { KeptClaims } from '../../poller/kaspr/claims.ts'
import { HungMembers } from '../../poller/kaspr/hung-members.ts'
import { packages } from '../../poller/kaspr/packages.ts'
import type { AppPart, KasprAppReport } from '../../poller/kaspr/part.ts'
import { Rebalances } from '../../poller/kaspr/rebalance-part.ts'
import { ReportSensing } from '../../poller/kaspr/report-sensing.ts'
import { StorageGrowth } from '../../poller/kaspr/storage.ts'
import { warnings } from '../../poller/kaspr/warnings.ts'
import { SensorDelegate } from '../../webhooks/sensors/delegate.ts'
import { startApiWithClient } from '../fakes/api-client.ts'
import { FakeClock } from './fake-clock.ts'
import { HungWorld } from './hung-world.ts'

const world = new HungWorld(2, 'calm')
const { target } = world.seen()
const act: Act = () => Promise.resolve()

function broken(part: Pick<AppPart, 'fields' | 'problemsOf'>, error: unknown = new Error('broken')): AppPart {
  return {
    ...part,
    look: () => {
      throw error
    },
  }
}

void t.test('each part adds its share, and sees the members as those before it left them', (t) => {
  const counted: number[] = []
  const parts: AppPart[] = [
    {
      fields: [],
      problemsOf: 'Members',
      look: ({ members }) => ({
        report: {
          members: members.map((member) => ({ ...member, hungStrikes: 1 })),
          problems: [{ of: 'Members', reason: 'M', message: 'm' }],
        },
        againMs: 500,
      }),
    },
    {
      fields: ['warned'],
      problemsOf: 'Claims',
      look: ({ members }) => {
        counted.push(...members.map(({ hungStrikes = 0 }) => hungStrikes))
        return {
          report: { warned: ['x'], problems: [{ of: 'Claims', reason: 'C', message: 'c' }] },
          events: [{ target, type: 'Normal', reason: 'R', message: 'r' }],
          acts: [act],
          againMs: 900,
        }
      },
    },
  ]
  const { report, ...rest } = appReport(parts, { ...world.seen(), previous: undefined })
  t.match(report, { appUid: 'app', reachable: '2/2', lastReplicas: 2, warned: ['x'] })
  t.match(report.problems, [{ of: 'Members' }, { of: 'Claims' }])
  t.strictSame(counted, [1, 1])
  t.strictSame(rest, {
    events: [{ target, type: 'Normal', reason: 'R', message: 'r' }],
    acts: [act],
    againMs: 500,
  })
  t.end()
})

void t.test('a part that throws: what it reported stands, the others look and act', (t) => {
  const look = world.seen()
  const members = look.members.map((member) => ({ ...member, hungStrikes: 2, lastStrikeTime: '2030-01-01T00:00:00Z' }))
  const previous: KasprAppReport = {
    appUid: 'app',
    reachable: '0/2',
    members,
    hung: { due: [1], terminations: [] },
    storage: { from: '1Gi', size: '2Gi', phase: 'Growing' },
    warned: ['old'],
    problems: [
      { of: 'Members', reason: 'M', message: 'old' },
      { of: 'Claims', reason: 'C', message: 'old' },
    ],
  }
  const good: AppPart = { fields: ['warned'], look: () => ({ report: { warned: ['new'] }, acts: [act] }) }
  const silent: AppPart = { fields: ['storage'], problemsOf: 'Claims', look: () => ({ report: {} }) }
  const hung = { fields: ['hung'], problemsOf: 'Members' } as const
  const seen = appReport([broken(hung), silent, good], { ...look, previous })
  t.strictSame(seen.report, {
    appUid: 'app',
    reachable: '2/2',
    lastReplicas: 2,
    // Fresh, and without strikes that nobody has judged.
    members: look.members,
    hung: previous.hung,
    problems: [{ of: 'Members', reason: 'M', message: 'old' }],
    warned: ['new'],
  })
  t.strictSame([seen.acts, seen.failure?.message], [[act], 'broken'])
  const again = appReport([broken(hung), silent, good], { ...look, previous: seen.report })
  t.strictSame(again.report, seen.report, 'and an unchanged world is an unchanged report')
  t.strictSame(appReport([broken(hung)], { ...look, previous: undefined }).report.hung, undefined, 'nothing before')

  const both = appReport([broken(hung), broken({ fields: [] }, 'no Error')], { ...look, previous }).failure
  t.match(both, { errors: [{ message: 'broken' }, { message: 'no Error' }] })
  t.end()
})

/** The schema of the CRD as far as it is read here. */
interface StatusSchema {
  properties: { kasprApp: { properties: { problems: { items: { properties: { of: { enum: string[] } } } } } } }
}

void t.test('every field of a report belongs to one part, or to none', async (t) => {
  const { client } = await startApiWithClient(t)
  const clock = new FakeClock()
  const sensor = new SensorDelegate()
  const waits = { intervalMs: 1, timeoutMs: 1, connectTimeoutMs: 1, confirmMs: 1, minIntervalMs: 1, backoffMs: 1 }
  const limits = { max: 1, perMinute: 1, graceSeconds: 1, dryRun: false }
  const fleet = (): { reachable: number; unreachable: number } => ({ reachable: 0, unreachable: 0 })
  const parts: AppPart[] = [
    new HungMembers({ client, clock, sensor, fleet, ...waits, ...limits }),
    packages,
    new KeptClaims(client, new Attempts(clock)),
    new StorageGrowth(client, new Attempts(clock)),
    new Rebalances({ client, clock, ...waits }),
    warnings,
    new ReportSensing(sensor),
  ]
  const { properties } = (observationStatusSchema as StatusSchema).properties.kasprApp
  const common = ['appUid', 'reachable', 'lastReplicas', 'members', 'problems']
  t.same([...common, ...parts.flatMap(({ fields }) => fields)].sort(), Object.keys(properties).sort())
  const about = parts.flatMap(({ problemsOf = [] }) => problemsOf)
  t.same(about.sort(), [...properties.problems.items.properties.of.enum].sort())
})
