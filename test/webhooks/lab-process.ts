import { serve } from '../../webhooks/main.ts'
import { lab } from './lab.ts'

// `serve` with the lab's hooks, as a process of its own. LAB_FAIL makes it fail later, as a mistake would.
await serve(process.env, [lab])
if (process.env['LAB_FAIL'] !== undefined) setImmediate(() => void Promise.reject(new Error('nobody caught this')))
