import t from 'tap'
import type { Test } from 'tap'
import { EventRecorder } from '../../poller/kube/events.ts'
import type { EventRecorderOptions, ObjectEvent } from '../../poller/kube/events.ts'
import { startApiWithClient } from '../fakes/api-client.ts'
import type { FakeApi } from '../fakes/api-server.ts'
import { FakeClock } from './fake-clock.ts'

const events = '/api/v1/events'

function event(message = 'gone', name = 'orders'): ObjectEvent {
  const target = { apiVersion: 'kaspr.io/v1alpha1', kind: 'KasprApp', namespace: 'shop', name, uid: `uid-${name}` }
  return { target, type: 'Warning', reason: 'MemberUnreachable', message }
}

interface Bench {
  api: FakeApi
  clock: FakeClock
  recorder: EventRecorder
  results: string[]
}

async function bench(t: Test, options: Partial<EventRecorderOptions> = {}): Promise<Bench> {
  const { api, client } = await startApiWithClient(t)
  const clock = new FakeClock()
  const results: string[] = []
  const onEvent = (result: string): number => results.push(result)
  return { api, clock, results, recorder: new EventRecorder({ client, clock, instance: 'p-1', onEvent, ...options }) }
}

void t.test('an Event is made once and counted up when it repeats within 10 minutes', async (t) => {
  const { api, clock, recorder, results } = await bench(t)
  recorder.record(event())
  await recorder.flush()
  const [made] = api.objects(events)
  t.match(made, {
    metadata: { name: /^orders\.[0-9a-f]{16}$/, namespace: 'shop' },
    involvedObject: { apiVersion: 'kaspr.io/v1alpha1', kind: 'KasprApp', namespace: 'shop', name: 'orders' },
    type: 'Warning',
    reason: 'MemberUnreachable',
    message: 'gone',
    count: 1,
    source: { component: 'kaspr-metacontroller' },
    reportingInstance: 'p-1',
    firstTimestamp: '2030-01-01T00:00:00Z',
    lastTimestamp: '2030-01-01T00:00:00Z',
  })
  await clock.advance(9 * 60_000)
  recorder.record(event())
  recorder.record(event())
  await recorder.flush()
  t.equal(api.objects(events).length, 1)
  t.match(api.objects(events)[0], {
    count: 3,
    firstTimestamp: '2030-01-01T00:00:00Z',
    lastTimestamp: '2030-01-01T00:09:00Z',
  })
  t.equal(api.requests.at(-1)?.headers['content-type'], 'application/merge-patch+json')
  await clock.advance(11 * 60_000)
  recorder.record(event())
  recorder.record(event('something else'))
  recorder.record(event('gone', 'other'))
  await recorder.flush()
  t.equal(api.objects(events).length, 4)
  t.ok(results.every((result) => result === 'sent'))
})

void t.test('an Event that has expired meanwhile is made anew', async (t) => {
  const { api, recorder } = await bench(t)
  recorder.record(event())
  await recorder.flush()
  api.remove(events, 'shop', api.objects(events)[0]?.metadata.name ?? '')
  recorder.record(event())
  await recorder.flush()
  t.match(api.objects(events), [{ count: 2 }])
})

void t.test('too many are dropped, per object and altogether, and come back with time', async (t) => {
  const { api, clock, recorder, results } = await bench(t, {
    perObject: { burst: 2, everyMs: 1000 },
    overall: { burst: 5, everyMs: 100 },
  })
  for (let i = 0; i < 4; i++) recorder.record(event(`message ${i}`))
  await recorder.flush()
  t.equal(api.objects(events).length, 2, 'two for one object')
  for (let i = 0; i < 9; i++) recorder.record(event('gone', `app-${i}`))
  await recorder.flush()
  t.equal(api.objects(events).length, 5, 'five altogether')
  await clock.advance(1000)
  recorder.record(event('message 9'))
  recorder.record(event('message 10'))
  await recorder.flush()
  t.equal(api.objects(events).length, 6)
  t.equal(results.filter((result) => result === 'dropped').length, 2 + 6 + 1)
})

void t.test('a repetition that was dropped still counts in the next one that is sent', async (t) => {
  const { api, clock, recorder } = await bench(t, { perObject: { burst: 1, everyMs: 1000 } })
  recorder.record(event())
  recorder.record(event())
  recorder.record(event())
  await clock.advance(1000)
  recorder.record(event())
  await recorder.flush()
  t.match(api.objects(events), [{ count: 4 }])
})

void t.test('recording never throws and goes on after a failure', async (t) => {
  const { api, recorder, results } = await bench(t)
  api.fault = () => ({ status: 403, body: 'no' })
  recorder.record(event())
  await recorder.flush()
  t.strictSame(results, ['failed'])
  api.fault = undefined
  recorder.record(event())
  await recorder.flush()
  t.match(api.objects(events), [{ count: 2 }])
})

void t.test('long texts are cut to what the API accepts', async (t) => {
  const { api, recorder } = await bench(t)
  recorder.record(event('m'.repeat(3000), 'n'.repeat(253)))
  await recorder.flush()
  const [made] = api.objects(events)
  t.equal(String(made?.['message']).length, 1024)
  t.ok((made?.metadata.name.length ?? 999) <= 253)
})
