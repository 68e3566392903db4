import t from 'tap'
import { packagePath } from '../../webhooks/package-root.ts'
import { called } from './called.ts'

const head = (kind: string, name = 'x'): string => `apiVersion: kaspr.io/v1alpha1
kind: ${kind}
metadata:
  name: ${name}
  labels:
    kaspr.io/app: shop
spec:
`
const app = `${head('KasprApp')}  bootstrapServers: kafka:9092
  authentication: { type: plain }
`
const at = (line: number, kind: string, rest: string): string => `-:${line}: ${kind}: ${rest}`

/** One manifest each, and the lines that it gets. */
const table: [name: string, manifest: string, lines: (string | RegExp)[]][] = [
  ['a valid app', app, []],
  ['a component whose app is not there', `${head('KasprAgent')}  input: { channel: { name: c } }`, []],
  ['nulls are as absent', `${app}  config:\n    webPort: null\n  resources:\n`, []],
  ['keys of config are data', `${app}  config: { my.own-key: 5 }`, []],
  [
    'type',
    `${app}  replicas: three`,
    [at(10, 'KasprApp/x', 'spec.replicas: "three" is not accepted, accepted: integer')],
  ],
  [
    'enum, on the line of its key',
    `${head('KasprApp')}  bootstrapServers: k:9092\n  authentication:\n    type:\n      oauth\n`,
    [
      at(
        10,
        'KasprApp/x',
        'spec.authentication.type: "oauth" is not accepted, accepted: plain, scram-sha-256, scram-sha-512',
      ),
    ],
  ],
  [
    'missing field, at what should hold it',
    `${head('KasprApp')}  authentication: { type: plain }`,
    [at(7, 'KasprApp/x', 'spec.bootstrapServers: missing, accepted: a value')],
  ],
  ['no spec at all', head('KasprApp').replace('spec:\n', ''), [/^-:1: KasprApp\/x: spec: /]],
  [
    'CEL: what authentication needs',
    app.replace('plain', 'scram-sha-512'),
    [
      at(9, 'KasprApp/x', 'spec.authentication.username: missing, accepted: the user to log in with scram-sha-512'),
      at(9, 'KasprApp/x', 'spec.authentication.passwordSecret: missing, accepted: {secretName, passwordKey}'),
    ],
  ],
  [
    'CEL: size of a claim',
    `${app}  storage:\n    type: persistent-claim`,
    [/^-:10: KasprApp\/x: spec\.storage\.size: missing/],
  ],
  [
    'CEL: version',
    `${app}  version: '9.9'`,
    [/^-:10: KasprApp\/x: spec\.version: "9\.9" is not accepted, accepted: 0\.11\.19, /],
  ],
  [
    'CEL: source of a volume, an item of a list',
    `${app}  template:\n    pod:\n      volumes:\n        - name: a\n          emptyDir: {}\n        - name: b\n`,
    [/^-:15: KasprApp\/x: spec\.template\.pod\.volumes\[1\]: no source is not accepted/],
  ],
  [
    'CEL: packages',
    `${app}  pythonPackages:\n    packages:\n      - pandas\n      - pan das\n`,
    [/^-:13: KasprApp\/x: spec\.pythonPackages\.packages\[1\]: /],
  ],
  [
    'CEL: env of a template',
    `${app}  template:\n    kasprContainer:\n      env:\n        - name: A\n          value: b\n          valueFrom: {}\n`,
    [/^-:13: KasprApp\/x: spec\.template\.kasprContainer\.env\[0\]: .*exactly one of value and valueFrom/],
  ],
  ['CEL: name', app.replace('name: x', 'name: X.y'), [/^-:4: KasprApp\/X\.y: metadata\.name: "X\.y" is not accepted/]],
  [
    'CEL: gcs',
    `${app}  pythonPackages:\n    packages: [pandas]\n    cache:\n      type: gcs\n`,
    [/^-:12: KasprApp\/x: spec\.pythonPackages\.cache\.gcs: missing/],
  ],
  [
    'CEL: input of an agent',
    `${head('KasprAgent')}  input:\n    topic: { name: a, pattern: b }\n`,
    [/^-:9: KasprAgent\/x: spec\.input\.topic: .*, accepted: exactly one of name and pattern$/],
  ],
  [
    'CEL: schedule of a task',
    `${head('KasprTask')}  schedule: {}\n  processors: { pipeline: [], operations: [] }\n`,
    [/^-:8: KasprTask\/x: spec\.schedule: .*exactly one of cron and interval/],
  ],
  [
    'CEL: answer of a webview',
    `${head('KasprWebView')}  request: { method: GET, path: / }\n  response:\n    statusCode: 200\n    statusCodeSelector: {}\n  processors: { pipeline: [], operations: [] }\n`,
    [
      /^-:10: KasprWebView\/x: spec\.response\.statusCode: /,
      /^-:11: KasprWebView\/x: spec\.response\.statusCodeSelector: /,
    ],
  ],
  [
    'a setting in words',
    `${app}  config:\n    webPort: 70000\n`,
    [/^-:11: KasprApp\/x: spec\.config\.webPort: 70000 is not accepted, accepted: .*65535/],
  ],
  [
    'a component of no app',
    `${head('KasprAgent').replace('  labels:\n    kaspr.io/app: shop\n', '')}  input: { channel: { name: c } }`,
    [
      at(
        3,
        'KasprAgent/x',
        'metadata.labels["kaspr.io/app"]: missing, accepted: the name of the KasprApp in this namespace that it belongs to',
      ),
    ],
  ],
  [
    'unknown field, removed',
    `${app}  resources:\n    limit: 3\n`,
    [at(11, 'KasprApp/x', 'spec.resources.limit: unknown, the API server removes it, accepted: limits')],
  ],
  [
    'unknown field, kept',
    `${app}  replica: 3\n`,
    [at(10, 'KasprApp/x', 'spec.replica: unknown, without effect, accepted: replicas')],
  ],
  [
    'unknown field beside spec',
    `${app}specs: {}\n`,
    [/^-:10: KasprApp\/x: specs: unknown, the API server removes it, accepted: spec$/],
  ],
  [
    'version of the API',
    app.replace('v1alpha1', 'v1'),
    [at(1, 'KasprApp/x', 'apiVersion: "kaspr.io/v1" is not accepted, accepted: kaspr.io/v1alpha1')],
  ],
  [
    'kind',
    app.replace('KasprApp', 'KasprApps'),
    [/^-:2: KasprApps\/x: kind: "KasprApps" is not accepted, accepted: KasprApp, KasprAgent, /],
  ],
  [
    'no metadata',
    'apiVersion: kaspr.io/v1alpha1\nkind: KasprApp',
    [at(1, 'KasprApp/?', 'metadata: missing, accepted: a value')],
  ],
  [
    'no name',
    'apiVersion: kaspr.io/v1alpha1\nkind: KasprApp\nmetadata: {}',
    [at(3, 'KasprApp/?', 'metadata.name: missing, accepted: a value')],
  ],
  [
    'an annotation that is no text',
    app.replace('  labels', '  annotations:\n    kaspr.io/pause-reconciliation: yes\n  labels'),
    [
      at(
        6,
        'KasprApp/x',
        'metadata.annotations["kaspr.io/pause-reconciliation"]: true is not accepted, accepted: string',
      ),
    ],
  ],
  ['no object', 'just text', [/^-:1: \?\/\?: the document: "just text" is not accepted, accepted: object$/]],
  ['a key twice', `${app}  tls: {}\n  tls: {}\n`, [/^-:11: KasprApp\/x: syntax: .*unique/]],
  ['no YAML', 'a: [1', [/^-:\d: \?\/\?: syntax: /]],
  ['no anchor', 'a: *b', [/^-:1: \?\/\?: syntax: /]],
  [
    'an alias',
    `${app.replace('spec:', 'x-shared: &shared\n  limit: 3\nspec:')}  resources: *shared\n`,
    [/^-:7: KasprApp\/x: x-shared: unknown/, /^-:8: KasprApp\/x: spec\.resources\.limit: unknown/],
  ],
  [
    'JSON',
    JSON.stringify(
      {
        apiVersion: 'kaspr.io/v1alpha1',
        kind: 'KasprApp',
        metadata: { name: 'x' },
        spec: { bootstrapServers: 'k', authentication: { type: 1 } },
      },
      null,
      1,
    ),
    [/^-:10: KasprApp\/x: spec\.authentication\.type: 1 is not accepted/],
  ],
  [
    'an item of a list',
    `apiVersion: v1\nkind: List\nitems:\n  - ${head('KasprAgent').replaceAll('\n', '\n    ')}  input: {}\n`,
    [/^-:11: KasprAgent\/x: spec\.input: .*topic or channel/],
  ],
  [
    'the same object twice',
    `${app}---\n${app}`,
    [/^-:14: KasprApp\/x: metadata\.name: "x" is not accepted, accepted: a name that is not taken by -:1$/],
  ],
  [
    'hostile keys',
    `${app}  __proto__: { a: 1 }\n  constructor: 2\n`,
    [/^-:10: .*spec\.__proto__: unknown/, /^-:11: .*spec\.constructor: unknown/],
  ],
  [
    'a value of many lines',
    `${app}  replicas: |\n    one\n    two\n`,
    [/^-:10: KasprApp\/x: spec\.replicas: "one\\ntwo\\n" is not accepted, accepted: integer$/],
  ],
]

for (const [name, manifest, lines] of table) {
  void t.test(name, async (t) => {
    const { code, out } = await called(['validate', '-f', '-'], {}, manifest)
    t.equal(code, lines.length === 0 ? 0 : 1)
    const found = out.trimEnd().split('\n')
    t.match(found, lines.length === 0 ? ['1 object without problems'] : lines)
    t.equal(found.length, Math.max(1, lines.length), out)
  })
}

void t.test('every example is valid; other kinds are passed over', async (t) => {
  t.match(await called(['validate', '-f', packagePath('examples', 'kaspr')]), {
    code: 0,
    out: /^\d+ objects without problems\n$/,
    err: '',
  })
  const service = 'apiVersion: v1\nkind: Service\nmetadata: { name: s }'
  t.same(await called(['validate', '-f', '-'], {}, service), {
    code: 0,
    out: '0 objects without problems\n',
    err: '-:1: Service/s: passed over, its kind has no hooks here\n',
  })
  t.match(await called(['validate', '-f', '-'], {}, `${app}  replicas: a`), { code: 1, err: '1 problem\n' })
})
