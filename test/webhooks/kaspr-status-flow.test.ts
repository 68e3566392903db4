/** Status after whole passes, against the recorded table. */
import t from 'tap'
import type { Condition, KubeObject } from '../../webhooks/contract/types.ts'
import { expectedOf, table } from './golden-tables.ts'
import type { Difference } from './golden-tables.ts'
import { answer, at, health, ofTypes } from './kaspr-status-world.ts'
import { synced } from './requests.ts'

interface FlowRecord {
  name: string
  app: KubeObject
  generation: number
  status: Record<string, unknown>
  settings: Record<string, string>
  statefulSet: { image: string | null; status: Record<string, number> } | null
  components: KubeObject[]
  now: string
  expected: { statusPatch: Record<string, unknown>; podDeletesAsked: string[] }
}

/** The part of a status that a pass of the hook decides, in one form for both sides. */
interface Flow {
  availableMembers?: unknown
  kasprVersion?: unknown
  rolloutInProgress?: unknown
  rebalancingMembers?: unknown
  members?: unknown
  linkedResources?: unknown
  pythonPackages?: unknown
  conditions: unknown[]
}

function flow(status: Record<string, unknown>): Flow {
  const { availableMembers, kasprVersion, rolloutInProgress, rebalancingMembers, members, pythonPackages } = status
  const linked = (status['linkedResources'] ?? {}) as Record<string, { hash: string }[]>
  // Hashes are ours; what counts is what is linked.
  const linkedResources = Object.fromEntries(
    Object.entries(linked).map(([kind, list]) => [kind, list.map(({ hash: _, ...rest }) => rest)]),
  )
  return {
    ...Object.fromEntries(
      Object.entries({
        availableMembers,
        kasprVersion,
        rolloutInProgress,
        rebalancingMembers,
        members,
        pythonPackages,
      }).filter(([, value]) => value !== undefined && value !== null),
    ),
    linkedResources,
    conditions: ofTypes((status['conditions'] ?? []) as Condition[], health),
  }
}

const conditionsAre = (flow: Flow, [progressing, ready]: [object, object]): Flow => ({
  ...flow,
  conditions: [
    { ...(flow.conditions[0] as object), ...progressing },
    { ...(flow.conditions[1] as object), ...ready },
  ],
})

const recent = '2025-03-10T12:00:00.000Z'

/** Whether there are pods of two revisions, as far as their numbers tell. */
function isOnTheWay({ statefulSet }: FlowRecord): boolean {
  const { replicas = 0, currentReplicas = replicas, updatedReplicas = replicas } = statefulSet?.status ?? {}
  return currentReplicas !== replicas || updatedReplicas !== replicas
}

const flowDifferences: Record<string, Difference<FlowRecord, Flow>> = {
  'the status is whole, also while there is no StatefulSet or none of its pods is available': {
    applies: ({ name }) => ['no-statefulset', 'available-replicas-unset'].includes(name),
    instead: (_, { name, generation }) => ({
      availableMembers: '0/2',
      rebalancingMembers: '0/0',
      rolloutInProgress: false,
      ...(name === 'no-statefulset' ? {} : { kasprVersion: '0.11.19' }),
      members: [],
      linkedResources: {
        agents: name === 'no-statefulset' ? [] : [{ name: 'g', topicName: 't1' }],
        tables: [],
        webviews: [],
        tasks: [],
      },
      conditions: [
        {
          type: 'Progressing',
          status: 'True',
          reason: 'NewSpec',
          message: 'Reconciling desired state',
          observedGeneration: generation,
          lastTransitionTime: recent,
        },
        {
          type: 'Ready',
          status: 'False',
          reason: 'NotReady',
          message: 'Rollout in progress',
          observedGeneration: generation,
          lastTransitionTime: recent,
        },
      ],
    }),
  },
  'joins are linked as well': {
    applies: () => true,
    instead: (result) => ({ ...result, linkedResources: { ...(result.linkedResources as object), joins: [] } }),
  },
  'members are there from the start, as an empty list, and say which pod they are and whether it answers': {
    applies: () => true,
    instead: (result) => ({
      ...result,
      members: ((result.members ?? []) as object[]).map((member) => ({
        podUID: 'unknown',
        ...member,
        reachable: true,
      })),
    }),
  },
  'a member that does not answer stays in the list; the original forgets it, and since when it is as it is': {
    applies: ({ name }) => ['member-silent', 'all-members-silent'].includes(name),
    instead: (result, { status }) => {
      const answering = result.members as { id: number }[]
      const members = (status['members'] as { id: number }[]).map((member) => ({
        podUID: 'unknown',
        ...member,
        reachable: answering.some(({ id }) => id === member.id),
      }))
      return { ...result, members }
    },
  },
  'an app none of whose members answers is not ready': {
    applies: ({ name }) => name === 'all-members-silent',
    instead: (result) => {
      const message = 'Pods are available, but no member answers'
      const ready = { status: 'Unknown', reason: 'MembersUnreachable', message, lastTransitionTime: recent }
      return conditionsAre(result, [{}, ready])
    },
  },
  'what is linked is also told without static membership': {
    applies: ({ name }) => name === 'agent-added-static-membership-off',
    instead: (result) => ({
      ...result,
      linkedResources: {
        ...(result.linkedResources as object),
        agents: [
          { name: 'g', topicName: 't1' },
          { name: 'g2', topicName: 't2' },
        ],
      },
    }),
  },
  'an image without a tag has no version': {
    applies: ({ name }) => name === 'image-without-tag',
    instead: (result) => ({ ...result, kasprVersion: 'unknown' }),
  },
  'a rollout is one until the last pod is of the new revision: the original takes the half-way point for its end': {
    applies: isOnTheWay,
    instead: (result) =>
      conditionsAre({ ...result, rolloutInProgress: true }, [
        {
          status: 'True',
          reason: 'Reconciling',
          message: 'Waiting for resources to become ready',
          lastTransitionTime: recent,
        },
        { status: 'False', reason: 'NotReady', message: 'Kaspr app not ready', lastTransitionTime: recent },
      ]),
  },
  'which members are hung is found out and reported by the poller: without such a report the rest decides': {
    applies: ({ expected, generation }) => expected.podDeletesAsked.length > 0 && generation === 1,
    instead: (result, { status }) =>
      conditionsAre(result, [
        {},
        { status: 'True', reason: 'Healthy', message: 'App is ready', lastTransitionTime: timeOf(status, 'Ready') },
      ]),
  },
  'the same, for a spec that is new': {
    applies: ({ expected, generation }) => expected.podDeletesAsked.length > 0 && generation === 2,
    instead: (result) =>
      conditionsAre(result, [
        { status: 'True', reason: 'NewSpec', message: 'Reconciling desired state', lastTransitionTime: recent },
        { message: 'Rollout in progress', reason: 'NotReady', lastTransitionTime: recent },
      ]),
  },
}

function timeOf(status: Record<string, unknown>, type: string): string {
  const found = (status['conditions'] as Condition[]).find((one) => one.type === type)
  return at(found?.status === 'True' ? found.lastTransitionTime : recent)
}

void t.test('whole passes, as recorded, from what the poller reports of the members', async (t) => {
  for (const record of table<FlowRecord>('status-flow')) {
    const {
      name,
      app: { metadata, ...rest },
      generation,
      status,
      statefulSet,
      components,
      settings,
      now,
    } = record
    const patch = record.expected.statusPatch
    const original = flow({ ...status, ...patch })
    const wanted = expectedOf(record, original, flowDifferences)
    const counts = statefulSet?.status
    // The table knows no revisions: pods of two of them are on their way from one to the other.
    const revisions = { currentRevision: 'r1', updateRevision: isOnTheWay(record) ? 'r2' : 'r1' }
    const ours = answer({
      parent: { ...rest, metadata: { ...metadata, generation }, status },
      set: counts === undefined ? null : { ...counts, ...revisions },
      ...(statefulSet?.image == null ? {} : { image: statefulSet.image }),
      members: wanted.members as object[],
      related: components.map((component) => synced(component)),
      now,
      settings: Object.fromEntries(Object.entries(settings).filter(([key]) => key === 'CLIENT_STATUS_CHECK_ENABLED')),
    })
    t.same(flow(ours.status), wanted, name)
    t.notHas(ours.status, { pythonPackages: {} }, `${name}: no packages`)
  }
})
