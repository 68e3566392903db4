#!/usr/bin/env node
// kubectl runs a program of this name that it finds on the PATH for `kubectl rollouts …`.
import { plugin } from './plugin.ts'
import { runProcess } from './program.ts'

await runProcess(plugin)
