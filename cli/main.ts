#!/usr/bin/env node
import { program } from './commands.ts'
import { runProcess } from './program.ts'

await runProcess(program)
