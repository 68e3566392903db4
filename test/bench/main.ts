/**
 * `npm run bench`: what a sync costs above its floor, and how `render` grows. `npm run bench -- hooks` and
 * `npm run bench -- render` run one of them; --rounds and --seconds set the turns of each server.
 */
import { parseArgs } from 'node:util'
import { benchHooks } from './hooks.ts'
import { benchRender } from './render.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '3' } },
})
const unknown = positionals.find((name) => !['hooks', 'render'].includes(name))
if (unknown !== undefined) refuse(`${unknown} is not accepted; accepted: hooks, render, or nothing for both`)
const asked = (name: string): boolean => positionals.length === 0 || positionals.includes(name)

if (asked('hooks')) {
  await benchHooks({ rounds: positive('--rounds', values.rounds), seconds: positive('--seconds', values.seconds) })
}
if (asked('render')) await benchRender([250, 500, 1000])

function positive(option: string, text: string): number {
  const value = Number(text)
  return Number.isInteger(value) && value > 0
    ? value
    : refuse(`${option}: ${text} is not accepted; accepted: a whole number above 0`)
}

function refuse(problem: string): never {
  console.error(problem)
  process.exit(2)
}
