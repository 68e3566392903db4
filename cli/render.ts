import { setImmediate } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { stringify } from 'yaml'
import { conditionOf } from '../webhooks/contract/conditions.ts'
import type { KubeObject } from '../webhooks/contract/types.ts'
import { readSettings, withEnvFile } from '../webhooks/environment.ts'
import { hookSettings } from '../webhooks/settings.ts'
import { check } from './checks.ts'
import type { Surroundings } from './program.ts'
import { InputError, UsageError } from './errors.ts'
import { type InputObject, findingText, readObjects } from './input.ts'
import { type Input, readManifests } from './manifests.ts'
import { inNamespace } from './observed.ts'
import { simulate } from './simulate.ts'
import { identity } from './stored.ts'
import type { SettledParent } from './world.ts'

export const renderHelp = `Usage: kaspr-metacontroller render -f FILE|DIR|- ... [-o yaml|json] [--observed FILE|DIR|-] ...

Prints the objects that the hooks want for manifests of our kinds, without a cluster: the hooks are called as Metacontroller
calls them, with what they answered before, until nothing changes.

  -f, --filename  file, directory (all .yaml, .yml and .json below it) or - for standard input; may be given several times
  -o, --output    yaml (default) or json (one List)
  --observed      objects that are in the cluster already, whole as kubectl get -o yaml prints them: a StatefulSet, for
                  example, whose replicas and claims are kept, or an Observation with its report; may be given several times

Settings of the hooks come from the environment as for serve, see docs/settings.md.
Objects come in the order of the files, those of each by kind and name. Nothing runs here: what depends on running pods or on
the poller is as in a new cluster unless --observed says otherwise. Ids that only a cluster gives are made up from the names.

Exit codes: 0 success, 1 problems (on standard error; everything else is printed) or unreadable input, 2 wrong usage.
`

/** The command \`render\`. @returns the exit code */
export async function render(args: string[], { env, stdin, stdout, stderr }: Surroundings): Promise<0 | 1> {
  const { filename, observed, output } = options(args)
  const settings = readSettings(hookSettings, withEnvFile(env))
  const known = await observedObjects(observed, stdin)
  const { objects, findings, passedOver } = await readObjects(filename, stdin)
  for (const note of passedOver) stderr.write(`${note}\n`)
  for (const finding of findings) stderr.write(`${findingText(finding)}\n`)

  let failed = findings.length > 0
  const inputs = new Map(objects.map((input) => [identity(inNamespace(input.object)), input]))
  const printer = printers[output]
  let printed = 0
  stdout.write(printer.start)
  const parents = simulate(
    [...inputs.values()].map(({ object }) => object),
    { settings, now: new Date(), observed: known },
  )
  for (const settled of parents) {
    for (const child of sorted(settled.children)) stdout.write(printer.object(child, settled.parent, printed++))
    const refusal = refusalText(settled, inputs.get(identity(settled.parent)))
    if (refusal !== undefined) {
      stderr.write(`${refusal}\n`)
      failed = true
    }
    // A reader that went away is noticed between two parents.
    await setImmediate()
  }
  stdout.write(printer.end)
  return failed ? 1 : 0
}

function options(args: string[]): { filename: string[]; observed: string[]; output: 'yaml' | 'json' } {
  const { values } = parseArgs({
    args,
    options: {
      filename: { type: 'string', short: 'f', multiple: true },
      output: { type: 'string', short: 'o', default: 'yaml' },
      observed: { type: 'string', multiple: true, default: [] },
    },
  })
  const { filename = [], output, observed } = values
  if (filename.length === 0) throw new UsageError('no files given: accepted is -f FILE, -f DIR or -f -')
  if (output !== 'yaml' && output !== 'json') {
    throw new UsageError(`-o ${JSON.stringify(output)}: accepted is yaml or json`)
  }
  if ([...filename, ...observed].filter((path) => path === '-').length > 1) {
    throw new UsageError('- is given twice: standard input can be read once')
  }
  return { filename, output, observed }
}

async function observedObjects(paths: string[], stdin: Input): Promise<KubeObject[]> {
  const objects: KubeObject[] = []
  for await (const { file, object, syntax, lineOf } of readManifests(paths, stdin)) {
    const checked = syntax.length > 0 ? undefined : check(object)
    if (checked === undefined || checked.form === 'unusable') {
      throw new InputError(`${file}:${lineOf('')}: give whole objects, as kubectl get -o yaml prints them`)
    }
    objects.push(checked.object)
  }
  return objects
}

/** What the hooks themselves refuse once they see everything, for example a component without the table it needs. */
function refusalText({ parent, fixedPoint }: SettledParent, input: InputObject | undefined): string | undefined {
  if (input === undefined) return undefined
  const place = `${input.file}:${input.line}: ${parent.kind}/${parent.metadata.name}`
  if (!fixedPoint) return `${place}: the hooks go on changing their answer`
  const { conditions } = parent['status'] as { conditions?: unknown }
  const valid = conditionOf(conditions, 'Valid')
  if (valid?.status !== 'False' || input.findings.length > 0) return undefined
  return `${place}: ${valid.message ?? ''}`
}

function sorted(children: readonly KubeObject[]): KubeObject[] {
  const keyed = children.map((child): [string, KubeObject] => [`${child.kind} ${child.metadata.name}`, child])
  return keyed.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, child]) => child)
}

interface Printer {
  start: string
  object(child: KubeObject, parent: KubeObject, index: number): string
  end: string
}

const printers: Record<'yaml' | 'json', Printer> = {
  yaml: {
    start: '',
    // Read by kubectl, so what YAML 1.1 takes for a boolean or number is quoted. Long lines stay whole.
    object: (child, parent) => {
      const { namespace = '', name } = parent.metadata
      return `---\n# ${parent.kind} ${namespace}/${name}\n${stringify(child, { version: '1.1', lineWidth: 0 })}`
    },
    end: '',
  },
  json: {
    start: '{\n  "apiVersion": "v1",\n  "kind": "List",\n  "items": [',
    object: (child, _parent, index) => {
      const text = JSON.stringify(child, null, 2).replaceAll('\n', '\n    ')
      return `${index === 0 ? '' : ','}\n    ${text}`
    },
    end: '\n  ]\n}\n',
  },
}
