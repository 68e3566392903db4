/** `npm run bench`: what a hook call costs above its floor. Options: --rounds, --seconds (of a turn). */
import { parseArgs } from 'node:util'
import { benchHooks } from './hooks.ts'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '3' } },
})

await benchHooks({ rounds: positive('--rounds', values.rounds), seconds: positive('--seconds', values.seconds) })

function positive(option: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  console.error(`${option}: ${text} is not accepted; accepted: a whole number above 0`)
  process.exit(2)
}
