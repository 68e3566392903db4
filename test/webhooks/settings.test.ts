import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readSettings, SettingsError, withEnvFile, type SettingsSchema } from '../../webhooks/environment.ts'
import { hookSettings } from '../../webhooks/settings.ts'

const schema = {
  type: 'object',
  properties: {
    COUNT: { type: 'integer', default: 3, minimum: 1, maximum: 10, description: 'x' },
    RATE: { type: 'number', default: 0.5, exclusiveMinimum: 0, description: 'x' },
    ON: { type: 'boolean', default: true, description: 'x' },
    NAME: { type: 'string', description: 'x' },
    LEVEL: { type: 'string', enum: ['low', 'high'], default: 'low', description: 'x' },
    KEY: { type: 'string', secret: true, pattern: '^[a-z]+$', accepted: 'lower-case letters', description: 'x' },
    MUST: { type: 'string', minLength: 1, description: 'x' },
  },
  required: ['MUST'],
  dependencies: { NAME: ['KEY'] },
} as const satisfies SettingsSchema

void t.test('settings are converted exactly and have their defaults', (t) => {
  t.strictSame(readSettings(schema, { MUST: 'x', OTHER: '1' }), {
    COUNT: 3,
    RATE: 0.5,
    ON: true,
    LEVEL: 'low',
    MUST: 'x',
  })
  const all = { COUNT: '10', RATE: '2.25', ON: 'Off', NAME: '', LEVEL: 'high', KEY: 'abc', MUST: ' 1 ' }
  t.strictSame(readSettings(schema, all), {
    COUNT: 10,
    RATE: 2.25,
    ON: false,
    NAME: '',
    LEVEL: 'high',
    KEY: 'abc',
    MUST: ' 1 ',
  })
  for (const word of ['true', 'T', '1', 'YES', 'y', 'On'])
    t.equal(readSettings(schema, { MUST: 'x', ON: word }).ON, true, word)
  for (const word of ['FALSE', 'f', '0', 'no', 'N', 'oFF', ''])
    t.equal(readSettings(schema, { MUST: 'x', ON: word }).ON, false, word)
  t.throws(() => Object.assign(readSettings(schema, { MUST: 'x' }), { COUNT: 4 }), TypeError, 'values are frozen')
  t.end()
})

void t.test('a value that is not exactly of its type is refused, never guessed', (t) => {
  const wrong: Record<string, string[]> = {
    COUNT: ['', ' 3', '3 ', '+3', '3.0', '3e0', '0x3', 'three', '0', '11', '-1', '٣', '99999999999999999999'],
    RATE: ['', '.5', '1.', '1,5', '1e-1', 'NaN', 'Infinity', '0', '-1'],
    ON: [' true', 'enabled', 'ye', '2', 'null'],
    LEVEL: ['', 'LOW', 'medium'],
    MUST: [''],
  }
  for (const [variable, texts] of Object.entries(wrong)) {
    for (const text of texts) {
      const { problems } = problemsOf({ MUST: 'x', [variable]: text })
      t.match(problems, [{ variable, given: JSON.stringify(text) }], `${variable}=${JSON.stringify(text)}`)
      t.equal(problems.length, 1)
    }
  }
  t.end()
})

void t.test('all problems come at once: variable, value, accepted form; secrets are masked', (t) => {
  const error = problemsOf({ COUNT: 'many', LEVEL: 'top', NAME: 'n', KEY: 'S3CRET' })
  t.same(error.message.split('\n').sort(), [
    'COUNT="many": give an integer, at least 1 and at most 10',
    'KEY=***: give lower-case letters',
    'LEVEL="top": give one of low, high',
    'MUST is not set: give text that is not empty',
  ])
  t.match(problemsOf({ MUST: 'x', NAME: 'n' }).message, 'KEY is not set: give lower-case letters, because NAME is set')
  t.ok(problemsOf({ MUST: 'x', COUNT: 'z'.repeat(5000) }).message.length < 200, 'long values are shortened')
  t.end()
})

void t.test('ENV_FILE adds variables, set ones win; a file that is not there stops the start', (t) => {
  const file = join(t.testdir(), 'settings.env')
  writeFileSync(file, '# settings\nCOUNT=7\nMUST="from file"\n')
  const env = withEnvFile({ ENV_FILE: file, COUNT: '8' })
  t.match(readSettings(schema, env), { COUNT: 8, MUST: 'from file' })
  t.strictSame(withEnvFile({ COUNT: '8' }), { COUNT: '8' }, 'nothing is read unless it is set')
  t.throws(
    () => withEnvFile({ ENV_FILE: '/nowhere/x' }),
    /^ENV_FILE="\/nowhere\/x": give a file that can be read \(ENOENT/,
  )
  t.end()
})

void t.test('the settings of serve', (t) => {
  t.match(readSettings(hookSettings, {}), {
    HOST: '0.0.0.0',
    PORT: 8080,
    INITIAL_MAX_REPLICAS: 1,
    HOOK_TOKEN: undefined,
  })
  const wrong: [env: Record<string, string>, variables: string[]][] = [
    [{ HOOK_TOKEN: '' }, ['HOOK_TOKEN']],
    [{ HOOK_TOKEN: 'two words' }, ['HOOK_TOKEN']],
    [{ TLS_CERT: 'a' }, ['TLS_KEY']],
    [{ TLS_KEY: 'a' }, ['TLS_CERT']],
    [{ TLS_CLIENT_CA: 'a' }, ['TLS_CERT', 'TLS_KEY']],
    [{ PORT: '65536' }, ['PORT']],
    [{ INITIAL_MAX_REPLICAS: '0' }, ['INITIAL_MAX_REPLICAS']],
    [{ HPA_SCALE_UP_POLICY_PERIOD_SECONDS: '1801' }, ['HPA_SCALE_UP_POLICY_PERIOD_SECONDS']],
  ]
  for (const [env, variables] of wrong) {
    const { problems } = problemsOf(env, hookSettings)
    t.same(problems.map(({ variable }) => variable).sort(), variables, JSON.stringify(env))
  }
  t.equal(readSettings(hookSettings, { HOOK_TOKEN: 'abc\n' }).HOOK_TOKEN, 'abc\n', "a file's last newline is accepted")
  t.end()
})

function problemsOf(env: Record<string, string>, of: SettingsSchema = schema): SettingsError {
  try {
    readSettings(of, env)
  } catch (error) {
    if (error instanceof SettingsError) return error
    throw error
  }
  throw new Error(`accepted: ${JSON.stringify(env)}`)
}
