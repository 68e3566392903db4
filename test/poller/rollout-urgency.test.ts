import t from 'tap'
import { factsReport, urgency } from '../../poller/rollout/report.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import type { RolloutOrder } from '../../webhooks/rollout/observation.ts'
import type { ReportedPod, RolloutReport } from '../../webhooks/rollout/pods.ts'

const order: RolloutOrder = {
  statefulSet: { name: 'web', uid: 'set' },
  maxUnavailable: 2,
  delaySeconds: 600,
  readyTimeoutSeconds: 1800,
  useEviction: false,
  paused: false,
}

function set(state: string): KubeObject {
  const record = { state, 'planned-at': '1000', 'target-revision': 'new', 'last-revision': 'new' }
  const annotations = Object.entries(record).map(([key, value]) => [`rollout-operator/${key}`, value])
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {
      name: 'web',
      namespace: 'shop',
      uid: 'set',
      generation: 1,
      annotations: Object.fromEntries(annotations) as Record<string, string>,
    },
    spec: { replicas: 4, updateStrategy: { type: 'OnDelete' } },
    status: { observedGeneration: 1, updateRevision: 'new' },
  }
}

/** What is reported of four old pods, of which these are not ready. */
function reportOf(state: string, down: number[]): RolloutReport {
  const pods = [0, 1, 2, 3].map((ordinal): ReportedPod => ({
    uid: `pod-${ordinal}`,
    ordinal,
    revision: 'old',
    ...(down.includes(ordinal) ? { reason: 'Pending' } : { readySince: '1970-01-01T00:10:00Z' }),
  }))
  return factsReport({ set: set(state), pods, others: [], order, previous: undefined, announced: [] })
}

function urgencyOf(state: string, before: number[], after: number[]): string {
  return urgency(set(state), order, reportOf(state, before), reportOf(state, after), 1001)
}

void t.test('a planned rollout: told at once is what its first batch hangs on', async (t) => {
  t.equal(urgencyOf('planned', [1, 3], []), 'now', 'else the hook would begin with pods that are not down any more')
  t.equal(urgencyOf('planned', [], [0, 1]), 'now')
  t.equal(urgencyOf('planned', [], [2]), 'soon', 'it is in the first batch, down or not')
  t.equal(urgencyOf('planned', [1, 3], [1, 3]), 'never')
})

void t.test('a rollout that is done: what is ready does not matter', async (t) => {
  const before = reportOf('done', [1, 3])
  const pods = (before.pods ?? []).map((pod): ReportedPod => ({ ...pod, revision: 'new' }))
  t.equal(urgency(set('done'), order, { ...before, pods }, { ...reportOf('done', []), pods }, 1001), 'never')
})
