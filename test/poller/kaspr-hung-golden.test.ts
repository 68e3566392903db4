/**
 * Members and hung members as kaspr-operator 0.18.51 decides (test/golden/kaspr-runtime). Where we differ on purpose, it is
 * said which records differ and why; no other may, and these must.
 */
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { decideHung } from '../../poller/kaspr/hung.ts'
import { mergeMembers } from '../../poller/kaspr/members.ts'
import type { Member } from '../../poller/kaspr/members.ts'
import type { RunningMember } from '../../poller/kaspr/pods.ts'
import type { Answer } from '../../poller/kaspr/poll.ts'
import { nextTerminations } from '../../poller/kaspr/terminations.ts'
import { appAnnotations } from '../../webhooks/kaspr/annotations.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { context } from '../webhooks/requests.ts'
import { HungWorld } from './hung-world.ts'

function table<T>(name: string): T[] {
  return JSON.parse(readFileSync(packagePath('test', 'golden', 'kaspr-runtime', `${name}.json`), 'utf8')) as T[]
}

/** A member as kaspr-operator stores it. */
interface Stored {
  id?: number
  leader?: unknown
  rebalancing?: unknown
  recovering?: unknown
  lastTransitionTime?: unknown
  podUID?: string
  podCreationTime?: string
}

interface HungRecord {
  name: string
  annotations: Record<string, string> | null
  settings: { hungMemberDetectionEnabled: boolean; hungRebalancingThresholdSeconds: number }
  strikesBefore: Record<string, number>
  steps: {
    now: string
    status: { conditions?: { type: string; status: string }[]; members?: Stored[] }
    expected: { terminate: number[] | null; strikesAfter: Record<string, number> }
  }[]
}

/** What we decide differently on purpose: strikes after the one step of the record, and who is due. */
interface Difference {
  reason: string
  records: string[]
  ours: [strikes: Record<string, number>, due: number[]]
}

const hungDifferences: Difference[] = [
  {
    reason: 'H4: what is no status is no answer: the strikes stay, and no strike is added',
    records: ['recovering-unknown', 'recovering-missing', 'rebalancing-text'],
    ours: [{ 0: 2 }, []],
  },
  { reason: 'H4: the same, with one strike before', records: ['rebalancing-number'], ours: [{ 0: 1 }, []] },
  {
    reason: 'H4: switched off, nothing is remembered (D9)',
    records: ['disabled-keeps-strikes', 'annotation-disables', 'annotation-enabled-on-is-not-true'],
    ours: [{}, []],
  },
  {
    reason: 'H6: a threshold below 1 s is refused, the setting counts (D23)',
    records: ['annotation-threshold-zero', 'annotation-threshold-negative'],
    ours: [{}, []],
  },
  {
    reason: 'a time without zone, which no report has, is no reason to fail',
    records: ['transition-without-zone'],
    ours: [{ 0: 3 }, [0]],
  },
]

void t.test('strikes and who is due, as recorded', async (t) => {
  const records = table<HungRecord>('hung-members')
  for (const record of records) {
    const difference = hungDifferences.find(({ records }) => records.includes(record.name))
    const name = difference === undefined ? record.name : `${record.name}: ${difference.reason}`
    const expected = record.steps.map(({ expected }) => [capped(expected.strikesAfter), expected.terminate])
    t.strictSame(play(record), difference === undefined ? expected : [difference.ours], name)
    if (difference !== undefined) t.notSame([difference.ours], expected, `${name} is needed`)
  }
  const names = records.map(({ name }) => name)
  t.strictSame(
    hungDifferences.flatMap(({ records }) => records).filter((name) => !names.includes(name)),
    [],
  )
})

/** H3: more than three strikes are not counted. */
function capped(strikes: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(strikes).map(([id, count]) => [id, Math.min(3, count)]))
}

/** Strikes and due members after each step. */
function play({ annotations, settings, strikesBefore, steps }: HungRecord): Difference['ours'][] {
  const world = new HungWorld(0)
  const app = { apiVersion: 'x', kind: 'KasprApp', metadata: { name: 'orders', annotations: annotations ?? {} } }
  const { hungMembers } = appAnnotations(
    app,
    context({
      HUNG_MEMBER_DETECTION_ENABLED: String(settings.hungMemberDetectionEnabled),
      HUNG_REBALANCING_THRESHOLD_SECONDS: String(settings.hungRebalancingThresholdSeconds),
    }).settings,
  )
  world.spec = { ...world.spec, hungMembers }
  let before: Member[] = Object.entries(strikesBefore).flatMap(([id, hungStrikes]) => {
    const lastStrikeTime = new Date(Date.parse(steps[0]?.now ?? '') - 30_000).toISOString()
    const strikes = hungStrikes === 0 ? {} : { hungStrikes: Math.min(3, hungStrikes), lastStrikeTime }
    return { ...asMember({ id: Number(id) }), ...strikes }
  })
  return steps.map(({ now, status }) => {
    const stored = status.members ?? []
    const progressing = status.conditions?.find(({ type }) => type === 'Progressing')
    world.set = progressing?.status === 'False' ? {} : { revision: 'r2' }
    const look = {
      ...world.seen(),
      now: new Date(now),
      previous: { appUid: 'app', reachable: '', members: before },
      members: stored.map(asMember),
      answers: new Map(stored.map((member) => [asMember(member).podUID, answerOf(member)])),
    }
    const decision = decideHung(look, new Map(), world.rules, world.limits)
    before = decision.members
    const strikes = before.flatMap(({ id, hungStrikes }) => (hungStrikes === undefined ? [] : [[id, hungStrikes]]))
    return [Object.fromEntries(strikes) as Record<string, number>, decision.hung?.due ?? []]
  })
}

function asMember({ id = 0, podUID = 'pod', ...flags }: Stored): Member {
  const answer = answerOf({ id, ...flags })
  const since = typeof flags.lastTransitionTime === 'string' ? flags.lastTransitionTime : ''
  const isKnown = answer.result === 'Success'
  const { leader = null, rebalancing = null, recovering = null } = isKnown ? answer.flags : {}
  const rebalancingSince = rebalancing === true ? { rebalancingSince: since } : {}
  return {
    id,
    // Some records have one uid for two pods.
    podUID: `${podUID}-${id}`,
    reachable: isKnown,
    leader,
    rebalancing,
    recovering,
    lastTransitionTime: since,
    ...rebalancingSince,
  }
}

/** What a member said for this to be stored. */
function answerOf({ leader = false, rebalancing, recovering }: Stored): Answer {
  const isStatus = typeof leader === 'boolean' && typeof rebalancing === 'boolean' && typeof recovering === 'boolean'
  return isStatus ? { result: 'Success', flags: { leader, rebalancing, recovering } } : { result: 'BadPayload' }
}

interface TerminationRecord {
  name: string
  hungMembers: number[]
  podsAlreadyGone: number[]
  expected: { podDeletesAsked: string[] }
}

void t.test('who is terminated, as recorded', async (t) => {
  for (const { name, hungMembers, podsAlreadyGone, expected } of table<TerminationRecord>('hung-terminations')) {
    const world = new HungWorld(8)
    // H7: the oldest first, where the original takes the first of its list; here the list is in that order.
    const due = hungMembers.map((id, index) =>
      asMember({ id, rebalancing: true, recovering: false, lastTransitionTime: `2030-01-01T00:00:0${index}Z` }),
    )
    // What is gone is no member: nobody asks for its deletion.
    const present = due.filter(({ id }) => !podsAlreadyGone.includes(id))
    const chosen = nextTerminations(world.seen(), present.reverse(), [], world.rules)
    t.strictSame(
      chosen.map(({ id }) => `meter-app-${id}`),
      expected.podDeletesAsked.filter((pod) => !podsAlreadyGone.some((id) => pod === `meter-app-${id}`)),
      name,
    )
  }
})

interface StatusRecord {
  name: string
  now: string
  status: { members?: Stored[] }
  observed: { members?: Stored[] | null }
  expected: { error: unknown; statusUpdate: { members?: Stored[] } }
}

/** Records whose members differ on purpose, by the reason. */
const statusDifferences = {
  'every pod has a uid: one that is not the same is another member': ['pod-uid-disappears'],
  'a pod of the same uid is the same, whatever is said of its creation': ['pod-creation-changes'],
  'every member of a report has its time': ['transition-time-missing', 'transition-time-null'],
  'P7: what is no status is no answer, and moves no time': ['state-unknown', 'state-fields-absent'],
  'P1: members are in the order of their ordinals': ['order-changes'],
  'P1: pods are watched, so they are never unknown': ['members-unknown'],
}

void t.test('members after a round, as recorded', async (t) => {
  const differing: string[] = []
  for (const { name, now, status, observed, expected } of table<StatusRecord>('member-status')) {
    const seen = observed.members ?? []
    const running = seen.map(runningMember).sort((a, b) => a.id - b.id)
    const answers = new Map(seen.map((member) => [runningMember(member).uid, answerOf(member)]))
    const known = (status.members ?? []).map(asKnown)
    const ours = mergeMembers(known, running, answers, now).map(shown)
    const theirs = (expected.statusUpdate.members ?? status.members ?? []).map(shown)
    if (!isDeepStrictEqual(ours, theirs)) differing.push(name)
  }
  t.strictSame(differing.sort(), Object.values(statusDifferences).flat().sort())
})

function shown({ id, leader, rebalancing, recovering, lastTransitionTime }: Stored): unknown[] {
  return [id, leader, rebalancing, recovering, lastTransitionTime]
}

function runningMember({ id = 0, podUID = 'pod', podCreationTime }: Stored): RunningMember {
  return { id, uid: `${podUID}-${id}`, name: `orders-app-${id}`, ip: '10.0.0.1', creationTime: podCreationTime }
}

/** What our last report would have said where the original stored this. */
function asKnown(stored: Stored): Member {
  const { podCreationTime } = stored
  return { ...asMember(stored), ...(podCreationTime !== undefined && { podCreationTime }) }
}
