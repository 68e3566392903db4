import { parseArgs } from 'node:util'
import type { KubeClient } from '../poller/kube/client.ts'
import { InputError } from './errors.ts'
import type { Surroundings } from './program.ts'
import { pause, resume, start } from './rollout/change.ts'
import type { Change } from './rollout/change.ts'
import { annotate, readLive, readStatefulSet } from './rollout/live.ts'
import { addressHelp, addressOf, addressOptions, addressUsage, withAccess } from './rollout/target.ts'
import type { Live } from './rollout/model.ts'
import type { Target } from './rollout/target.ts'
import { watchUntil } from './rollout/wait.ts'

interface Wish {
  about: string
  rights: string
  decide(client: KubeClient, target: Target): Promise<Change>
}

const wishes = {
  pause: {
    about: `Holds the rollout of a StatefulSet: no further pod is deleted, and a planned rollout does not start.
Sets the annotation config.rollout-operator/paused.`,
    rights: 'the StatefulSet (get, patch)',
    decide: async (client, target) => pause(await readStatefulSet(client, target)),
  },
  resume: {
    about: `Lets a paused rollout go on. Removes the annotation config.rollout-operator/paused.`,
    rights: 'the StatefulSet (get, patch)',
    decide: async (client, target) => resume(await readStatefulSet(client, target)),
  },
  start: {
    about: `Lets a rollout start without its delay. Sets the annotation config.rollout-operator/start-now to the revision of
this moment; a later revision waits for its delay again.`,
    rights: 'the StatefulSet (get, list, watch, patch) and its pods (get, list, watch)',
    decide: startOnceObserved,
  },
} satisfies Record<string, Wish>

/** Commands that write what a user wishes onto a StatefulSet. */
export type WishName = keyof typeof wishes

/** Help of a command. */
export function wishHelp(name: WishName): string {
  const { about, rights } = wishes[name]
  return `Usage: kubectl rollouts ${name} ${addressUsage.optional}

${about}

${addressHelp('optional')}

It needs rights for ${rights}.
Exit codes: 0 done or not needed, 1 refused, no such set or no access, 2 wrong usage.
`
}

/** Runs a command. @returns the exit code @throws InputError for a wish that makes no sense */
export async function wish(name: WishName, args: string[], { env, stdout }: Surroundings): Promise<0> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: addressOptions })
  await withAccess(addressOf(values, positionals, env, 'optional'), async ({ client, target }) => {
    const change = await wishes[name].decide(client, target)
    const title = `statefulset.apps/${target.name}`
    switch (change.kind) {
      case 'write':
        await annotate(client, target, change.annotations)
        stdout.write(`${title} ${change.done}\n`)
        return
      case 'nothing':
        stdout.write(`${title} ${change.because}\n`)
        return
      case 'refuse':
        throw new InputError(`${title}: ${change.because}`)
      case 'later':
        throw new InputError(`${title}: its status is still about an earlier template, try again`)
    }
  })
  return 0
}

/** After `kubectl apply`, Kubernetes takes a moment to give the new template its revision. */
const observedMs = 10_000

async function startOnceObserved(client: KubeClient, target: Target): Promise<Change> {
  const first = await readLive(client, target)
  const look = (live: Live | undefined): Change | undefined => {
    const change: Change = live === undefined ? { kind: 'refuse', because: 'it is gone' } : start(live)
    return change.kind === 'later' ? undefined : change
  }
  return look(first) ?? (await watchUntil(client, target, first, look, observedMs)) ?? { kind: 'later' }
}
