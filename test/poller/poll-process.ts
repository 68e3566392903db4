import { poll } from '../../poller/main.ts'

/** `poll` as a process of its own, for tests that signal or kill it. */
await poll(process.env)
