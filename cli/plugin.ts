import type { Command, Program } from './program.ts'

/** What `kubectl rollouts` runs. */
export const plugin: Program = {
  name: 'kubectl rollouts',
  commands: new Map([
    [
      'view',
      {
        summary: 'show the rollout of an OnDelete StatefulSet, live',
        help: async () => (await import('./rollout.ts')).rolloutHelp('kubectl rollouts view', 'optional'),
        run: async (args, surroundings) => (await import('./rollout.ts')).rollout(args, surroundings, 'optional'),
      },
    ],
    [
      'status',
      {
        summary: 'print how a rollout stands; with --watch wait for its end',
        help: async () => (await import('./rollout-status.ts')).statusHelp,
        run: async (args, surroundings) => (await import('./rollout-status.ts')).status(args, surroundings),
      },
    ],
    wishCommand('pause', 'hold a rollout'),
    wishCommand('resume', 'let a paused rollout go on'),
    wishCommand('start', 'let a planned rollout start without its delay'),
  ]),
  notes: `kubectl takes no options before the name of a plugin: kubectl rollouts status --context CONTEXT -n NAMESPACE NAME.
Without them it is the current context, and its namespace.`,
}

function wishCommand(name: 'pause' | 'resume' | 'start', summary: string): [string, Command] {
  return [
    name,
    {
      summary,
      help: async () => (await import('./rollout-change.ts')).wishHelp(name),
      run: async (args, surroundings) => (await import('./rollout-change.ts')).wish(name, args, surroundings),
    },
  ]
}
