import { parseArgs } from 'node:util'
import type { Program } from './program.ts'

const commands: Program['commands'] = new Map([
  [
    'serve',
    {
      summary: 'run the hook service that Metacontroller calls, until SIGTERM',
      help: () => serverHelp('serve', 'Runs the hook service that Metacontroller calls.'),
      async run(args, { env }) {
        parseArgs({ args, options: {} })
        const { serve } = await import('../webhooks/main.ts')
        await serve(env)
        return 0
      },
    },
  ],
  [
    'poll',
    {
      summary: 'run the poller, which looks at what Observations name and reports in them, until SIGTERM',
      help: () => serverHelp('poll', 'Runs the poller, which looks at what Observations name and reports in them.'),
      async run(args, { env }) {
        parseArgs({ args, options: {} })
        const { poll } = await import('../poller/main.ts')
        await poll(env)
        return 0
      },
    },
  ],
  [
    'render',
    {
      summary: 'print the objects that the hooks want for manifests, without a cluster',
      help: async () => (await import('./render.ts')).renderHelp,
      run: async (args, surroundings) => (await import('./render.ts')).render(args, surroundings),
    },
  ],
  [
    'validate',
    {
      summary: 'check manifests without a cluster, one line for each problem',
      help: async () => (await import('./validate.ts')).validateHelp,
      run: async (args, surroundings) => (await import('./validate.ts')).validate(args, surroundings),
    },
  ],
  [
    'rollout',
    {
      summary: 'show the rollout of an OnDelete StatefulSet, live',
      help: async () => (await import('./rollout.ts')).rolloutHelp('kaspr-metacontroller rollout', 'required'),
      run: async (args, surroundings) => (await import('./rollout.ts')).rollout(args, surroundings, 'required'),
    },
  ],
])

async function serverHelp(name: string, about: string): Promise<string> {
  return `Usage: kaspr-metacontroller ${name}

${about} It runs until SIGTERM or SIGINT.
Settings are environment variables, see docs/settings.md. ENV_FILE names a dotenv file with more of them.
Exit codes: 0 after a signal, 1 wrong settings or a failure, 2 wrong usage.
`
}

/** What operators and users of this package run. */
export const program: Program = {
  name: 'kaspr-metacontroller',
  commands,
  notes: 'Settings are environment variables, see docs/settings.md.',
}
