import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { Rotation } from '../../poller/rotation.ts'
import { WorkQueue } from '../../poller/queue.ts'
import type { QueueOptions } from '../../poller/queue.ts'
import { FakeClock } from './fake-clock.ts'

/** A queue whose runs end when the test says so. */
class Bench {
  readonly clock = new FakeClock()
  readonly started: string[] = []
  readonly running = new Map<string, { end: (againMs?: number) => Promise<void>; fail: () => Promise<void> }>()
  /** Keys that ran twice at once: always empty. */
  readonly overlaps: string[] = []
  mostRunning = 0
  readonly waits: number[] = []
  readonly runs: [seconds: number, succeeded: boolean][] = []
  readonly queue: WorkQueue

  constructor(options: Partial<QueueOptions> = {}) {
    this.queue = new WorkQueue({
      clock: this.clock,
      workers: 4,
      minIntervalMs: 0,
      random: () => 1,
      run: (key, signal) => this.#run(key, signal),
      onWait: (seconds) => this.waits.push(seconds),
      onRun: (seconds, succeeded) => this.runs.push([seconds, succeeded]),
      ...options,
    })
  }

  #run(key: string, signal: AbortSignal): Promise<number | undefined> {
    this.started.push(key)
    if (this.running.has(key)) this.overlaps.push(key)
    return new Promise<number | undefined>((resolve, reject) => {
      const over = (settle: () => void): Promise<void> => {
        this.running.delete(key)
        settle()
        return turn()
      }
      this.running.set(key, {
        end: (againMs) => over(() => resolve(againMs)),
        fail: () => over(() => reject(new Error('failed'))),
      })
      this.mostRunning = Math.max(this.mostRunning, this.running.size)
      signal.addEventListener('abort', () => void over(() => reject(new Error('aborted'))))
    })
  }

  async end(key: string, againMs?: number): Promise<void> {
    await this.running.get(key)?.end(againMs)
  }
}

void t.test('adds during a run lead to exactly one further run', async (t) => {
  const bench = new Bench()
  bench.queue.add('a/1')
  bench.queue.add('a/1')
  bench.queue.add('a/1', 500)
  bench.queue.add('a/1')
  t.strictSame(bench.started, ['a/1'])
  await bench.end('a/1')
  t.strictSame(bench.started, ['a/1', 'a/1'])
  await bench.end('a/1')
  await bench.clock.advance(10_000)
  t.strictSame(bench.started, ['a/1', 'a/1'], 'the later of the two delays is not served on top')
})

void t.test('of several adds during a run the earliest counts', async (t) => {
  const bench = new Bench()
  bench.queue.add('a/1')
  bench.queue.add('a/1', 50)
  bench.queue.add('a/1', 500)
  await bench.end('a/1', 900)
  await bench.clock.advance(50)
  t.equal(bench.started.length, 2)
})

void t.test('groups take turns, whatever their sizes; nobody has more than its share out', (t) => {
  const rotation = new Rotation<string>(2)
  for (const item of ['a1', 'a2', 'a3', 'a4']) rotation.add('a', item)
  for (const item of ['b1', 'b2', 'b3']) rotation.add('b', item)
  t.strictSame([rotation.take(), rotation.take(), rotation.take(), rotation.take()], ['a1', 'b1', 'a2', 'b2'])
  t.equal(rotation.take(), undefined, 'two of each are out')
  t.ok(rotation.remove('a', 'a3'))
  t.notOk(rotation.remove('a', 'a3'))
  rotation.done('b')
  rotation.done('a')
  rotation.add('b', 'b3')
  t.strictSame([rotation.take(), rotation.take(), rotation.take()], ['b3', 'a4', undefined])
  t.match(rotation, { waiting: 0, running: 4 })
  t.end()
})

void t.test('of several delays the earliest counts', async (t) => {
  const bench = new Bench()
  bench.queue.add('a/1', 500)
  bench.queue.add('a/1', 200)
  bench.queue.add('a/1', 900)
  await bench.clock.advance(199)
  t.strictSame(bench.started, [])
  t.match(bench.queue.stats(), { delayed: 1, depth: 0 })
  await bench.clock.advance(1)
  t.strictSame(bench.started, ['a/1'])
  await bench.end('a/1')
  await bench.clock.advance(10_000)
  t.strictSame(bench.started, ['a/1'])
  t.equal(bench.clock.pending, 0)
})

void t.test('a key runs again by itself after the time its run gave', async (t) => {
  const bench = new Bench()
  bench.queue.add('a/1')
  await bench.end('a/1', 300)
  await bench.clock.advance(299)
  t.equal(bench.started.length, 1)
  await bench.clock.advance(1)
  t.equal(bench.started.length, 2)
})

void t.test('runs of one key keep their distance, so a burst of adds is one run', async (t) => {
  const bench = new Bench({ minIntervalMs: 1000 })
  bench.queue.add('a/1')
  t.equal(bench.started.length, 1, 'the first starts at once')
  await bench.end('a/1', 5000)
  for (let i = 0; i < 5; i++) {
    bench.queue.add('a/1')
    await bench.clock.advance(100)
  }
  t.equal(bench.started.length, 1)
  await bench.clock.advance(500)
  t.equal(bench.started.length, 2)
})

void t.test('a failing key backs off, doubling up to the limit; success starts over', async (t) => {
  const bench = new Bench({ backoffMs: 100, maxBackoffMs: 400 })
  bench.queue.add('a/1')
  for (const pause of [100, 200, 400, 400]) {
    const before = bench.started.length
    await bench.running.get('a/1')?.fail()
    await bench.clock.advance(pause - 1)
    t.equal(bench.started.length, before)
    await bench.clock.advance(1)
    t.equal(bench.started.length, before + 1)
  }
  await bench.end('a/1', 0)
  await bench.running.get('a/1')?.fail()
  await bench.clock.advance(100)
  t.equal(bench.started.length, 7)
  t.strictSame(
    bench.runs.map(([, succeeded]) => succeeded),
    [false, false, false, false, true, false],
  )
})

void t.test('half of a back-off is at random', async (t) => {
  const bench = new Bench({ backoffMs: 100, random: () => 0 })
  bench.queue.add('a/1')
  await bench.running.get('a/1')?.fail()
  await bench.clock.advance(50)
  t.equal(bench.started.length, 2)
})

void t.test('a run that throws at once backs off, too', async (t) => {
  let runs = 0
  const bench = new Bench({
    backoffMs: 100,
    run: () => {
      runs++
      throw new Error('bug')
    },
  })
  bench.queue.add('a/1')
  await bench.clock.advance(300)
  t.equal(runs, 3)
})

void t.test('a namespace with a thousand keys does not starve another', async (t) => {
  const bench = new Bench({ workers: 4 })
  for (let i = 0; i < 1000; i++) bench.queue.add(`big/${i}`)
  t.equal(bench.running.size, 2, 'one group gets half of the workers')
  bench.queue.add('small/1')
  t.ok(bench.running.has('small/1'), 'so another starts at once')
  for (let i = 2; i < 5; i++) bench.queue.add(`small/${i}`)
  bench.queue.add('third/1')
  await bench.end('small/1')
  t.strictSame(bench.started.slice(-2), ['small/2', 'third/1'], 'groups take turns')
})

void t.test('depth, age and waits tell of a queue that does not keep up', async (t) => {
  const bench = new Bench({ workers: 1 })
  for (const key of ['a/1', 'a/2', 'b/1']) bench.queue.add(key)
  await bench.clock.advance(700)
  t.strictSame(bench.queue.stats(), { depth: 2, running: 1, delayed: 0, oldestMs: 700, longestRunMs: 700 })
  await bench.end('a/1')
  t.strictSame(bench.waits, [0, 0.7])
  t.strictSame(bench.runs, [[0.7, true]])
})

void t.test('stuck: a run that never ends; a long queue alone is not', async (t) => {
  const bench = new Bench({ workers: 1, stuckMs: 1000 })
  bench.queue.add('a/1')
  bench.queue.add('a/2')
  await bench.clock.advance(900)
  t.equal(bench.queue.stuck(), undefined)
  await bench.end('a/1')
  await bench.clock.advance(900)
  t.equal(bench.queue.stuck(), undefined)
  bench.queue.add('a/3')
  await bench.clock.advance(101)
  t.match(bench.queue.stuck(), /a run has lasted 1 s/)
})

void t.test('a forgotten key does not run again, unless it is added after that', async (t) => {
  const bench = new Bench({ workers: 2 })
  bench.queue.add('a/delayed', 100)
  bench.queue.add('a/running')
  bench.queue.add('a/due')
  for (const key of ['a/delayed', 'a/running', 'a/due', 'a/none']) bench.queue.forget(key)
  await bench.end('a/running', 50)
  await bench.clock.advance(1000)
  t.strictSame(bench.started, ['a/running'])
  t.match(bench.queue.stats(), { depth: 0, delayed: 0, running: 0 })
  bench.queue.add('a/running')
  bench.queue.forget('a/running')
  bench.queue.add('a/running')
  await bench.end('a/running', 50)
  t.strictSame(bench.started, ['a/running', 'a/running', 'a/running'])
})

void t.test('with a key its back-off is forgotten', async (t) => {
  const bench = new Bench({ backoffMs: 100 })
  bench.queue.add('a/1')
  for (let i = 0; i < 3; i++) {
    await bench.running.get('a/1')?.fail()
    await bench.clock.advance(400)
  }
  bench.queue.forget('a/1')
  bench.queue.add('a/1')
  await bench.running.get('a/1')?.fail()
  await bench.running.get('a/1')?.fail()
  await bench.clock.advance(100)
  t.equal(bench.started.length, 6, 'the first back-off again')
})

void t.test('stop waits for what runs, starts nothing more, and aborts after the deadline', async (t) => {
  const bench = new Bench({ workers: 4 })
  for (const key of ['a/1', 'a/2', 'a/3']) bench.queue.add(key)
  bench.queue.add('b/1', 100)
  const stopped = bench.queue.stop(1000)
  bench.queue.add('c/1')
  await bench.end('a/1', 10)
  await bench.clock.advance(999)
  t.strictSame(bench.started, ['a/1', 'a/2'])
  t.equal(bench.running.size, 1)
  await bench.clock.advance(1)
  t.equal(bench.running.size, 0, 'aborted')
  t.equal(await stopped, true)
  t.equal(bench.clock.pending, 0)
  t.equal(await new Bench().queue.stop(1000), true, 'with nothing to wait for')
})

void t.test('stop gives up on a run that ignores its abort, and says so', async (t) => {
  const bench = new Bench({ run: () => new Promise(() => undefined) })
  bench.queue.add('a/1')
  const stopped = bench.queue.stop(1000)
  await bench.clock.advance(2000)
  t.equal(await stopped, false)
})

const key = fc.constantFrom('a/1', 'a/2', 'a/3', 'b/1', 'c/1')
const action = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('add' as const), key, ms: fc.constantFrom(0, 0, 5, 50) }) },
  fc.record({ do: fc.constant('end' as const), key, ms: fc.option(fc.constantFrom(0, 20), { nil: undefined }) }),
  fc.record({ do: fc.constant('fail' as const), key }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 60 }) }),
)

void t.test('whatever the order of events: no key runs twice at once, and nothing added is lost', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), async (actions, workers) => {
      const bench = new Bench({ workers, minIntervalMs: 10, backoffMs: 30 })
      /** Runs seen when the key was last added: another must follow. */
      const owed = new Map<string, number>()
      const runsOf = (of: string): number => bench.started.filter((started) => started === of).length
      for (const step of actions) {
        if (step.do === 'add') {
          // Added before it started counts for a run to come even if it waits already.
          owed.set(step.key, runsOf(step.key))
          bench.queue.add(step.key, step.ms)
        } else if (step.do === 'end') await bench.end(step.key, step.ms)
        else if (step.do === 'fail') await bench.running.get(step.key)?.fail()
        else await bench.clock.advance(step.ms)
        if (bench.running.size > workers) throw new Error('more runs than workers')
      }
      for (let round = 0; round < 40; round++) {
        for (const running of bench.running.values()) await running.end()
        await bench.clock.advance(60)
      }
      t.strictSame(bench.overlaps, [])
      for (const [added, before] of owed) if (runsOf(added) <= before) throw new Error(`lost: ${added}`)
      t.match(bench.queue.stats(), { depth: 0, running: 0, delayed: 0 })
    }),
    { numRuns: 200 },
  )
})
