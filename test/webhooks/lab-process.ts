import { createRequire } from 'node:module'
import { serve } from '../../webhooks/main.ts'
import { lab } from './lab.ts'

// `serve` with the lab's hooks, as a process of its own. LAB_FAIL makes it fail later, as a mistake would.
await serve(process.env, [lab])
if (process.env['LAB_FAIL'] !== undefined) setImmediate(() => void Promise.reject(new Error('nobody caught this')))
if (process.env['LAB_MODULES'] !== undefined) {
  process.stdout.write(`${JSON.stringify({ modules: Object.keys(createRequire(import.meta.url).cache) })}\n`)
}
