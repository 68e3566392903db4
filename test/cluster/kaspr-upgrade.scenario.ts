/**
 * The service is upgraded to a release with a new default version: apps that name neither version nor image roll once, all
 * others are left alone. Nobody touches an app for that: the next round of Metacontroller finds it out.
 */
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t from 'tap'
import { packagePath } from '../../webhooks/package-root.ts'
import { defaultVersion } from '../../webhooks/kaspr/versions.ts'
import { type AppObject, KasprWorld, kasprApp } from './kaspr-world.ts'
import { type Stack, startStack, syncCalls } from './stack.ts'
import { until } from './until.ts'

t.setTimeout(900_000)

const nextVersion = '9.9.9'

let stack: Stack
let program = packagePath('dist', 'cli', 'main.js')
t.before(async () => {
  stack = await startStack({ name: 'kaspr-upgrade', pollers: 0, hooksProgram: () => program })
  // In production it is every five minutes.
  const often = '{"spec":{"resyncPeriodSeconds":2}}'
  await stack.plane.kubectl(['patch', 'compositecontroller', 'kasprapps', '--type=merge', '-p', often])
})
t.after(() => stack.stop({ failed: !t.passing() }))

void t.test('a new default version rolls the apps that follow it, once, and no other', async (t) => {
  const world = await KasprWorld.open(stack, 'shop')
  const image = 'registry.example.com/streams/kaspr:0.11.19-shop1'
  const apps = {
    unpinned: {},
    'pinned-to-default': { version: defaultVersion },
    'pinned-to-older': { version: '0.11.18' },
    'own-image': { image },
  }
  const names = Object.keys(apps)
  await world.apply(...Object.entries(apps).map(([name, spec]) => kasprApp(name, { replicas: 2, ...spec })))
  for (const name of names) {
    await until(`the StatefulSet of ${name}`, () => world.get('sts', `${name}-app`))
    await world.kubectl('scale', `sts/${name}-app`, '--replicas=2')
  }
  for (const name of names) await world.settled(name)
  const before = await versions(world, names)
  t.same(before, [defaultVersion, defaultVersion, '0.11.18', '0.11.19-shop1'])

  await world.mark()
  program = await nextRelease(stack.plane.dir)
  await stack.hooks.restart()
  await until('the new version', async () => (await versions(world, names))[0] === nextVersion)
  await world.settled('unpinned')
  // Two more rounds, in which a second roll or a roll of another app would begin.
  const calls = await syncCalls(stack, 'KasprApp')
  await until('further rounds', async () => (await syncCalls(stack, 'KasprApp')) >= calls + 2 * names.length)
  for (const name of names) await world.settled(name)

  t.same(await versions(world, names), [nextVersion, ...before.slice(1)])
  t.same(await world.createsAndDeletes(), {
    'create pods unpinned-app-0': 1,
    'create pods unpinned-app-1': 1,
    'delete pods unpinned-app-0': 1,
    'delete pods unpinned-app-1': 1,
  })
  t.same(await Promise.all(names.map((name) => world.revisions(name))), [2, 1, 1, 1])
})

/** What the apps say that they run. */
async function versions(world: KasprWorld, names: string[]): Promise<(string | undefined)[]> {
  type Versioned = AppObject & { status?: { kasprVersion?: string } }
  return Promise.all(names.map(async (name) => (await world.get<Versioned>('kapp', name))?.status?.kasprVersion))
}

/** Copies this package, gives it one version more, and makes that the default. The path of its program. */
async function nextRelease(folder: string): Promise<string> {
  const root = join(folder, 'next-release')
  const files = ['package.json', 'dist/cli', 'dist/crds', 'dist/webhooks', 'dist/poller', 'webhooks/kaspr/packages']
  for (const file of files) {
    await mkdir(dirname(join(root, file)), { recursive: true })
    await cp(packagePath(file), join(root, file), { recursive: true })
  }
  await symlink(packagePath('node_modules'), join(root, 'node_modules'))
  const table = join(root, 'dist', 'webhooks', 'kaspr', 'versions.js')
  const text = await readFile(table, 'utf8')
  const quoted = `'${defaultVersion}'`
  const upgraded = text
    .replace(`defaultVersion = ${quoted}`, `defaultVersion = '${nextVersion}'`)
    .replace(`...[${quoted}`, `...['${nextVersion}', ${quoted}`)
  await writeFile(table, upgraded)
  return join(root, 'dist', 'cli', 'main.js')
}

// With processes still running, the end has to be said; it stops them.
t.end()
