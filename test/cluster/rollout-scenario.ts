import type { Test } from 'tap'
import { RolloutWorld } from './rollout-world.ts'
import { type Stack, startStack } from './stack.ts'

/** Declares a scenario, which is played in a namespace of its own. */
export type Scenario = (name: string, namespace: string, play: (t: Test, world: RolloutWorld) => Promise<void>) => void

/**
 * For files whose scenarios do not disturb each other: starts one stack for all, with short times, and plays them on it, a few at
 * the same time (they mostly wait). The file has to say its end.
 *
 * @param t tap itself
 * @param name part of the name of the plane's folder
 */
export function rolloutScenarios(t: Test, name: string): Scenario {
  // The runner has no limit of its own; tap's default of 30 s is for the whole file.
  t.setTimeout(900_000)
  t.jobs = 5
  let stack: Stack
  t.before(async () => {
    const env = { RO_DELAY_SECONDS: '1', RO_POLL_SECONDS: '1', LEASE_DURATION_SECONDS: '3' }
    stack = await startStack({ name, env })
  })
  t.after(() => stack.stop({ failed: !t.passing() }))
  return (name, namespace, play) =>
    void t.test(name, { buffered: true }, async (t) => {
      const world = await RolloutWorld.open(stack, namespace)
      t.teardown(() => world.close())
      await play(t, world)
    })
}
