import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { packagePath } from '../../webhooks/package-root.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { called } from './called.ts'

// Rendering many apps takes time on a machine that does other work too.
t.setTimeout(180_000)

const examples = packagePath('examples', 'kaspr')
const documents = (text: string): KubeObject[] =>
  parseAllDocuments(text, { version: '1.1' }).map((document) => document.toJS() as KubeObject)
const names = (objects: readonly KubeObject[]): string[] =>
  objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`)

/** An app without components, in YAML. */
const app = (name: string, more = ''): string => `apiVersion: kaspr.io/v1alpha1
kind: KasprApp
metadata: { name: ${name} }
spec:
  replicas: 4
  bootstrapServers: kafka:9092
  authentication: { type: plain }
${more}`
const agent = (name: string, app: string): string =>
  JSON.stringify({
    apiVersion: 'kaspr.io/v1alpha1',
    kind: 'KasprAgent',
    metadata: { name, labels: { 'kaspr.io/app': app } },
    spec: { input: { topic: { name: 'in' } } },
  })

void t.test('render of examples/kaspr is test/golden/render.yaml (npm run generate writes it)', async (t) => {
  const { code, out, err } = await called(['render', '-f', examples])
  t.match({ code, err }, { code: 0, err: '' })
  t.equal(out, readFileSync(packagePath('test', 'golden', 'render.yaml'), 'utf8'))
  t.equal((await called(['render', '-f', examples])).out, out, 'the same again')
  const json = await called(['render', '-f', examples, '-o', 'json'])
  t.same((JSON.parse(json.out) as { items: unknown }).items, documents(out), 'JSON has the same objects')
})

void t.test('files, directories, standard input, lists: the same objects, in the order given', async (t) => {
  const folder = t.testdir({
    'b.yml': app('b'),
    sub: { 'a.yaml': app('a'), 'notes.txt': 'not: [read' },
    'c.json': JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [parse(app('c')), parse(app('d'))] }),
  })
  const parents = async (args: string[], input = ''): Promise<string[]> => {
    const { code, out, err } = await called(['render', ...args], {}, input)
    t.match({ code, err }, { code: 0, err: '' })
    return [...out.matchAll(/^# (.*)$/gm)]
      .map(([, parent = '']) => parent)
      .filter((parent, i, all) => parent !== all[i - 1])
  }
  t.same(
    await parents(['-f', folder]),
    ['b', 'c', 'd', 'a'].map((name) => `KasprApp default/${name}`),
  )
  t.same(await parents(['-f', `${folder}/sub`, '-f', '-'], app('x')), ['KasprApp default/a', 'KasprApp default/x'])
  t.same(await parents(['-f', '-'], `---\n${app('x')}\n---\n---\n# nothing\n---\n${app('z')}`), [
    'KasprApp default/x',
    'KasprApp default/z',
  ])
  t.same(await parents(['--filename', '-'], ''), [])
  mkdirSync(`${folder}/empty`)
  t.match(await called(['render', '-f', `${folder}/empty`]), { code: 1, err: /empty: give a directory with \.yaml/ })
})

void t.test(
  'children of a parent come by kind and name; text that YAML 1.1 takes for something else is quoted',
  async (t) => {
    const { out } = await called(
      ['render', '-f', '-'],
      {},
      app('one', '  config: { webMetricsBasePath: "on", topicPartitions: "6" }'),
    )
    const objects = documents(out)
    t.same(names(objects), names(objects).toSorted())
    t.match(objects[0], { data: { K_WEB_METRICS_BASE_PATH: 'on', K_TOPIC_PARTITIONS: '6' } })
  },
)

void t.test('settings are those of serve', async (t) => {
  const image = async (env: Record<string, string>): Promise<string> =>
    (await called(['render', '-f', '-'], env, app('one'))).out
  t.match(await image({ KASPR_IMAGE_REGISTRY: 'registry.example.com' }), /image: registry\.example\.com\//)
  t.notMatch(await image({}), /registry\.example\.com/)
  t.match(await called(['render', '-f', '-'], { PORT: 'x' }, app('one')), { code: 1, out: '', err: /PORT="x": give/ })
})

void t.test('--observed: the StatefulSet that runs keeps its replicas and claims', async (t) => {
  const stored = app('one', '  storage: { type: persistent-claim, size: 5Gi }')
  const fresh = documents((await called(['render', '-f', '-'], {}, stored)).out)
  const set = fresh.find(({ kind }) => kind === 'StatefulSet')
  if (set === undefined) throw new Error('no StatefulSet')
  const running = { ...set, spec: { ...(set['spec'] as object), replicas: 3 }, status: { replicas: 3 } }
  const list = `${t.testdir()}/observed.json`
  writeFileSync(list, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [running] }))
  const larger = stored.replace('5Gi', '9Gi')
  const { code, out } = await called(['render', '-f', '-', '--observed', list], {}, larger)
  t.equal(code, 0)
  t.match(
    documents(out).find(({ kind }) => kind === 'StatefulSet'),
    { spec: { replicas: 3, volumeClaimTemplates: [{ spec: { resources: { requests: { storage: '5Gi' } } } }] } },
  )
  t.notMatch(out, /status:/)
  writeFileSync(list, 'kind: Broken')
  t.match(await called(['render', '-f', '-', '--observed', list], {}, stored), {
    code: 1,
    err: /observed\.json:1: give whole/,
  })
})

void t.test('what is refused goes to standard error with its place, exit code 1; the rest is printed', async (t) => {
  const input = [
    app('good'),
    app('bad').replace('plain', 'scram-sha-512'),
    agent('lost', 'good').replace('"spec":', '"spec":{"input":{}},"x":'),
    JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: 's' } }),
    app('good'),
    JSON.stringify({
      ...(JSON.parse(agent('joined', 'whole')) as object),
      kind: 'KasprJoin',
      spec: { leftTable: 'l', rightTable: 'r', extractor: { python: '' } },
    }),
    app('whole'),
  ].join('\n---\n')
  const { code, out, err } = await called(['render', '-f', '-'], {}, input)
  t.equal(code, 1)
  const lines = err.trimEnd().split('\n')
  const starts = [
    '-:21: Service/s: passed over',
    '-:16: KasprApp/bad: spec.authentication.username: missing, accepted: ',
    '-:16: KasprApp/bad: spec.authentication.passwordSecret: missing, accepted: ',
    '-:19: KasprAgent/lost: spec.input: ',
    '-:19: KasprAgent/lost: x: unknown, the API server removes it',
    '-:25: KasprApp/good: metadata.name: "good" is not accepted, accepted: a name that is not taken by -:1',
    // Only the whole shows it.
    '-:34: KasprApp/whole: Not mounted: KasprJoin joined: spec.leftTable: ',
  ]
  for (const start of starts)
    t.ok(
      lines.some((line) => line.startsWith(start)),
      start,
    )
  t.ok(names(documents(out)).includes('StatefulSet/good-app'))
  t.notOk(names(documents(out)).includes('StatefulSet/bad-app'), 'which would be frozen if it were there')
})

void t.test('a reader that has seen enough is no failure', async (t) => {
  const many = `${t.testdir()}/many.yaml`
  writeFileSync(many, Array.from({ length: 60 }, (_, i) => app(`app-${i}`)).join('\n---\n'))
  const command = spawn(process.execPath, [packagePath('dist', 'cli', 'main.js'), 'render', '-f', many])
  const errors: string[] = []
  command.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text))
  command.stdout.once('data', () => command.stdout.destroy())
  t.same(await once(command, 'close'), [0, null])
  t.equal(errors.join(''), '')
})

void t.test('time grows with the number of apps, not with its square', async (t) => {
  const world = (apps: number): string =>
    Array.from({ length: apps }, (_, i) => [
      app(`app-${i}`),
      agent(`one-${i}`, `app-${i}`),
      agent(`two-${i}`, `app-${i}`),
    ])
      .flat()
      .join('\n---\n')
  const seconds = async (apps: number): Promise<number> => {
    const started = process.cpuUsage()
    t.equal((await called(['render', '-f', '-'], {}, world(apps))).code, 0)
    return process.cpuUsage(started).user / 1e6
  }
  await seconds(30)
  const [few, many] = [await seconds(30), await seconds(150)]
  t.comment(`30 apps ${few} s, 150 apps ${many} s`)
  // 5 times the apps: 25 times the work if it were quadratic.
  t.ok(many < 12 * few)
})
