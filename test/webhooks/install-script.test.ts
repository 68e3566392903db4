/**
 * The install script, run as the container runs it, in the worlds of test/golden/kaspr-runtime/install-script.json: what pip, bucket
 * and markers do there, and what came of it in kaspr-operator 0.18.51. pip, sleep and python3 are stand-ins on PATH.
 */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import {
  type Installation,
  installArguments,
  installEnvironment,
  installation,
  packagesDirectory,
} from '../../webhooks/kaspr/packages/install.ts'
import type { PythonPackages } from '../../webhooks/kaspr/packages/requirements.ts'
import { packagesStatus } from '../../webhooks/kaspr/packages/status.ts'
import { packagePath } from '../../webhooks/package-root.ts'

interface World {
  pipOutcomes: { exit: number; stderr?: string }[]
  pythonVersion: string
  lockGranted: boolean
  markersBefore: Record<string, string>
  cacheHit: boolean
  uploadExit: number
  secretValues: Record<string, string>
}

interface Action {
  op: string
  args?: string[]
  bucket?: string
  key?: string
}

interface Case {
  name: string
  pythonPackages: PythonPackages
  settings: Record<string, string>
  world: World
  expected: {
    actions: Action[]
    environment: string[]
    errorTypes: string[]
    exitCode: number
    markersAfter: Record<string, Record<string, unknown>>
  }
}

/** The stand-ins append what they were asked to a file of JSON lines. */
const standIns = {
  pip: `#!/usr/bin/env bash
if [[ $1 == --version ]]; then echo "pip 24.0 from /usr/lib/pip (python $PYTHON_VERSION)"; exit; fi
[[ $1 == install && $2 == --no-warn-script-location && $3 == --target && $5 == --no-cache-dir && $6 == --requirement ]] || exit 99
count=$(cat "$WORLD/count"); echo $((count + 1)) >"$WORLD/count"
{
  echo "pip"; echo "$PIP_INDEX_URL"; echo "$PIP_EXTRA_INDEX_URL"; echo "$PIP_TRUSTED_HOST"; cat "$7"; echo "end"
} >>"$WORLD/actions"
outcome=$WORLD/outcome-$count; [[ -e $outcome ]] || outcome=$(ls "$WORLD"/outcome-* | sort -V | tail -n 1)
status=$(head -n 1 "$outcome"); tail -n +2 "$outcome" >&2
mkdir -p "$4/module"; echo "$count" >"$4/module/__init__.py"
exit "$status"
`,
  sleep: '#!/bin/sh\n',
  python3: `#!/usr/bin/env bash
printf '%s\\n%s\\n%s\\nend\\n' "$3" "$5" "$6" >>"$WORLD/actions"
if [[ $3 == upload ]]; then exit "$(cat "$WORLD/upload-exit")"; fi
[[ -e $WORLD/archive ]] || exit 1
cp "$WORLD/archive" "$7"
`,
  flock: '#!/bin/sh\n[ ! -e "$WORLD/locked" ]\n',
}

// Dozens of scripts are run.
t.setTimeout(180_000)

const root = mkdtempSync(join(tmpdir(), 'install-script-'))
t.teardown(() => rmSync(root, { recursive: true, force: true }))
const programs = join(root, 'programs')
mkdirSync(programs)
for (const [name, text] of Object.entries(standIns)) {
  writeFileSync(join(programs, name), text)
  chmodSync(join(programs, name), 0o755)
}

interface Outcome {
  status: number | null
  output: string
  actions: Action[]
  /** Folders on the volume that are sets, with their markers. */
  sets: Record<string, unknown>
  report: string
  volume: string
}

/** A volume and a world around it, in which the script may run several times. */
function place(name: string): { volume: string; world: string } {
  const folder = join(root, name)
  const [volume, world] = [join(folder, 'volume'), join(folder, 'world')]
  mkdirSync(volume, { recursive: true })
  mkdirSync(world, { recursive: true })
  return { volume, world }
}

function run(
  { volume, world }: { volume: string; world: string },
  wanted: Installation,
  facts: World,
  environment: Record<string, string> = {},
): Outcome {
  writeFileSync(join(world, 'count'), '0')
  rmSync(join(world, 'actions'), { force: true })
  facts.pipOutcomes.forEach(({ exit, stderr = '' }, index) =>
    writeFileSync(join(world, `outcome-${index}`), `${exit}\n${stderr}`),
  )
  writeFileSync(join(world, 'upload-exit'), String(facts.uploadExit))
  if (!facts.lockGranted) writeFileSync(join(world, 'locked'), '')
  if (facts.cacheHit) {
    mkdirSync(join(world, 'cached', 'module'), { recursive: true })
    spawnSync('tar', ['-czf', join(world, 'archive'), '-C', join(world, 'cached'), '.'])
  }
  const report = join(world, 'report')
  rmSync(report, { force: true })
  // As the kubelet: two dollar signs are one, and there is no variable to replace in what is left.
  const args = installArguments(wanted)
    .map((argument) => argument.replaceAll('$$', '$'))
    .map((argument) => (argument === packagesDirectory ? volume : argument))
    .map((argument) => (argument === '/dev/termination-log' ? report : argument))
  const given = Object.fromEntries(
    installEnvironment(wanted, 'orders-app').map(({ name, value }) => [name, value ?? facts.secretValues[name] ?? '']),
  )
  const { status, stdout, stderr } = spawnSync('bash', args, {
    encoding: 'utf8',
    env: {
      PATH: `${programs}:${process.env['PATH'] ?? ''}`,
      WORLD: world,
      PYTHON_VERSION: facts.pythonVersion,
      HOSTNAME: 'orders-app-0',
      ...given,
      ...environment,
    },
  })
  return {
    status,
    output: stdout + stderr,
    actions: actionsOf(join(world, 'actions')),
    sets: setsOf(volume, wanted.hash),
    report: existsSync(report) ? readFileSync(report, 'utf8') : '',
    volume,
  }
}

function actionsOf(file: string): Action[] {
  if (!existsSync(file)) return []
  const records = readFileSync(file, 'utf8').split('end\n').slice(0, -1)
  return records.map((record) => {
    const [op = '', ...lines] = record.split('\n').slice(0, -1)
    if (op !== 'pip') return { op, bucket: lines[0] ?? '', key: lines[1] ?? '' }
    const [index = '', extra = '', hosts = '', ...packages] = lines
    const each = (option: string, text: string): string[] =>
      text.split(' ').flatMap((item) => (item === '' ? [] : [option, item]))
    return {
      op,
      args: [
        ...each('--index-url', index),
        ...each('--extra-index-url', extra),
        ...each('--trusted-host', hosts),
        ...packages,
      ],
    }
  })
}

function setsOf(volume: string, hash: string): Record<string, unknown> {
  const sets = readdirSync(volume).filter((name) => /^[0-9a-f]{16}-[0-9a-f]{8}$/.test(name))
  return Object.fromEntries(
    sets.map((name) => {
      const marker = join(volume, name, `.installed-${hash}`)
      return [name, existsSync(marker) ? (JSON.parse(readFileSync(marker, 'utf8')) as unknown) : 'another']
    }),
  )
}

const usual: World = {
  pipOutcomes: [{ exit: 0 }],
  pythonVersion: '3.12',
  lockGranted: true,
  markersBefore: {},
  cacheHit: false,
  uploadExit: 0,
  secretValues: {},
}
const image = 'kasprio/kaspr:0.11.19'

/** Network and pip actions of the original, as far as ours are the same. */
function expectedActions({ expected, pythonPackages }: Case): Action[] {
  const actions = expected.actions
    .filter(({ op }) => ['pip', 'download', 'upload'].includes(op))
    .map(({ op, args, bucket, key }) =>
      op === 'pip' ? { op, args: (args ?? []).slice(5) } : { op, bucket: bucket ?? '', key: key ?? '' },
    )
  const { retries = 3 } = pythonPackages.installPolicy ?? {}
  const failed = expected.errorTypes.length > retries - 1 && !expected.actions.some(({ op }) => op === 'upload')
  const pip = actions.filter(({ op }) => op === 'pip')
  // Retries are further attempts here: one more where the original gave up.
  const last = pip.at(-1)
  return failed && pip.length === retries && last !== undefined ? [...actions, last] : actions
}

const cases = JSON.parse(
  readFileSync(packagePath('test', 'golden', 'kaspr-runtime', 'install-script.json'), 'utf8'),
) as Case[]

/** Worlds in which something else is meant to happen: name -> reason. */
const differs: Record<string, string> = {
  'ephemeral-retries-zero': 'no retries are one attempt: the original did not try, and failed',
  'ephemeral-retries-zero-allow': 'no retries are one attempt: the original did not try',
}

for (const golden of cases) {
  void t.test(`as the original: ${golden.name}`, async (t) => {
    const { pythonPackages, world, expected, settings } = golden
    const wanted = installation(pythonPackages, image)
    const where = place(golden.name)
    for (const [hash, marker] of Object.entries(world.markersBefore)) {
      const set = join(where.volume, hash === 'current' ? wanted.set : `${hash}-00000000`)
      mkdirSync(set)
      writeFileSync(join(set, `.installed-${hash === 'current' ? wanted.hash : hash}`), marker)
    }
    const found = run(where, wanted, world, settings)
    if (golden.name in differs) {
      t.equal(found.status, 0)
      t.equal(found.actions.length, 1, differs[golden.name] ?? '')
      return
    }
    t.equal(found.status, expected.exitCode, found.output)
    t.same(found.actions, expectedActions(golden))
    const kinds = [...found.output.matchAll(/ERROR_TYPE: (\w+)/g)].map(([, kind]) => kind)
    const own = kinds.filter((kind) => kind !== 'lock')
    t.same(own.slice(0, expected.errorTypes.length), expected.errorTypes)
    const [marker] = Object.values(expected.markersAfter)
    if (marker !== undefined) {
      const ours = found.sets[wanted.set] as Record<string, unknown>
      t.same(Object.keys(ours).sort(), Object.keys(marker).sort())
      // The original expands variables, so that tokens land on the shared volume.
      t.match(ours, { packages: pythonPackages.packages, python_version: marker['python_version'], pod_name: /./ })
      const { packages: _, ...details } = ours
      t.same(JSON.parse(found.report), details, 'the status of the container says the same')
    }
    t.same(
      readdirSync(found.volume).filter((name) => name.startsWith('.work')),
      [],
      'nothing is left behind',
    )
  })
}

void t.test('a changed package is really updated, and members that run keep their files', async (t) => {
  const where = place('update')
  const cache = { enabled: true }
  const before = installation({ packages: ['lib==1'], cache }, image)
  const after = installation({ packages: ['lib==2'], cache }, image)
  run(where, before, usual)
  const old = readFileSync(join(where.volume, before.set, 'module', '__init__.py'), 'utf8')
  const second = run(where, after, usual)
  t.same(second.actions, [{ op: 'pip', args: ['lib==2'] }])
  t.same(Object.keys(second.sets).sort(), [before.set, after.set].sort())
  t.equal(readFileSync(join(where.volume, before.set, 'module', '__init__.py'), 'utf8'), old)

  const again = run(where, after, usual)
  t.same(again.actions, [], 'the next pod installs nothing')
  t.equal(again.report, second.report, 'and says who did')

  spawnSync('touch', ['-d', '2 days ago', join(where.volume, before.set, '.superseded')])
  t.same(Object.keys(run(where, after, usual).sets), [after.set], 'a set that nobody used for a day goes')
})

void t.test('a failed installation leaves other sets and takes nothing half-made into use', async (t) => {
  const where = place('failed')
  const cache = { enabled: true }
  const before = installation({ packages: ['lib==1'], cache }, image)
  run(where, before, usual)
  const broken = { ...usual, pipOutcomes: [{ exit: 1, stderr: 'ERROR: No matching distribution found for lib==9' }] }
  const wanted = installation({ packages: ['lib==9'], cache, installPolicy: { retries: 0 } }, image)
  const found = run(where, wanted, broken)
  t.equal(found.status, 1)
  t.same(Object.keys(found.sets), [before.set])
  t.equal(found.report, 'package_not_found: pip ended with 1: ERROR: No matching distribution found for lib==9')
})

void t.test('the report fits into the message of a container, however many packages there are', async (t) => {
  const numbers = Array.from({ length: 499 }, (_, index) => `package-${index}[extra,more]>=1.0`)
  const packages: PythonPackages['packages'] = ['package[extra,more]', ...numbers]
  const wanted = installation({ packages }, image)
  const { report } = run(place('many'), wanted, usual)
  t.ok(report.length < 4096, `${report.length} bytes`)
  const set = { pod: 'orders-app-0', set: wanted.set, state: 'terminated', exitCode: 0 } as const
  const { pythonPackages, condition } = packagesStatus(wanted, { ...set, message: report })
  t.match(pythonPackages, { installed: packages, installedBy: 'orders-app-0' })
  t.match(condition, { status: 'True', message: 'Successfully installed 500 packages (emptyDir mode)' })
})

void t.test('no secret is in marker, report, log or arguments, and none needs escaping', async (t) => {
  const token = 'tok/en+&@#$(id)\\%'
  const secretValues = { PYPI_USERNAME: 'user@corp', PYPI_PASSWORD: 'p@ss/w:rd&\\1|é' }
  const packages: PythonPackages = {
    packages: ['git+https://${GIT_TOKEN}@git.example.test/o/r.git'],
    indexUrl: 'https://i.example.test/s',
    extraIndexUrls: ['https://pypi.org/simple', 'https://e.example.test/s'],
    credentials: { secretRef: { name: 'c' } },
    cache: { enabled: true },
    installPolicy: { retries: 0 },
  }
  const login = 'user%40corp:p%40ss%2Fw%3Ard%26%5C1%7C%C3%A9'
  const world = { ...usual, secretValues, pipOutcomes: [{ exit: 1, stderr: `could not clone ${token} with ${login}` }] }
  const where = place('secrets')
  const failed = run(where, installation(packages, image), world, { GIT_TOKEN: token })
  const ok = run(where, installation(packages, image), { ...world, pipOutcomes: [{ exit: 0 }] }, { GIT_TOKEN: token })
  t.same(ok.actions, [
    {
      op: 'pip',
      args: [
        ...['--index-url', `https://${login}@i.example.test/s`],
        // The public index gets no login of a private one.
        ...['--extra-index-url', 'https://pypi.org/simple', '--extra-index-url', `https://${login}@e.example.test/s`],
        `git+https://${token}@git.example.test/o/r.git`,
      ],
    },
  ])
  const traces = [failed.output, failed.report, ok.output, ok.report, JSON.stringify(ok.sets)].join('\n')
  for (const secret of [token, secretValues.PYPI_PASSWORD, 'p%40ss']) t.notOk(traces.includes(secret), secret)
  t.equal(spawnSync('grep', ['-rlF', token, where.volume]).status, 1, 'nor on the volume')
})

void t.test('text of a user is never run', async (t) => {
  const where = place('injection')
  const trap = join(root, 'trap')
  const hostile: PythonPackages['packages'] = [
    `https://h/$(touch ${trap})`,
    `https://h/;touch%20${trap}`,
    'a;touch',
    `x\`touch ${trap}\``,
    '--index-url=x',
  ]
  const found = run(where, installation({ packages: hostile, installPolicy: { retries: 0 } }, image), usual)
  t.notOk(existsSync(trap))
  t.equal(found.status, 0)
})

void t.test('a variable that is not there is named', async (t) => {
  const packages: PythonPackages = { packages: ['git+https://${NO_TOKEN}@h/r'] }
  const found = run(place('unset'), installation(packages, image), usual)
  t.equal(found.status, 1)
  t.equal(found.report, 'configuration: variable NO_TOKEN is empty or not set')
})

void t.test('addresses that pip does not know are given as it knows them', async (t) => {
  const packages: PythonPackages = { packages: ['git@h:org/r.git', 'ssh://git@h/r', 'x'] }
  const found = run(place('ssh'), installation(packages, image), usual)
  t.same(found.actions, [{ op: 'pip', args: ['git+ssh://git@h/org/r.git', 'git+ssh://git@h/r', 'x'] }])
})

void t.test('a broken archive is a miss', async (t) => {
  const where = place('broken-archive')
  writeFileSync(join(where.world, 'archive'), 'no archive')
  const cache = { type: 'gcs', gcs: { bucket: 'b', secretRef: { name: 's' } } } as const
  const found = run(where, installation({ packages: ['x'], cache }, image), usual)
  t.equal(found.status, 0, found.output)
  t.same(
    found.actions.map(({ op }) => op),
    ['download', 'pip', 'upload'],
  )
})

t.end()
