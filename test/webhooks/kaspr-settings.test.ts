/** Settings of kaspr-operator keep their names, defaults and meaning: the recorded table. */
import t from 'tap'
import { pollerSettings } from '../../poller/settings.ts'
import { type SettingsSchema, SettingsError, readSettings } from '../../webhooks/environment.ts'
import { imageOf } from '../../webhooks/kaspr/versions.ts'
import { hookSettings } from '../../webhooks/settings.ts'
import { table } from './golden-tables.ts'

interface SettingsRecord {
  name: string
  environment: Record<string, string>
  expected: { error: object | null; settings: Record<string, unknown> | null }
}

/** Both processes together. */
const all: SettingsSchema = { type: 'object', properties: { ...hookSettings.properties, ...pollerSettings.properties } }

/** Variables of the original that mean nothing here: reason. */
const notHere: Record<string, string> = {
  STATEFULSET_DELETION_TIMEOUT_SECONDS:
    'nothing waits a fixed time for a set to go: the next step waits until it is gone',
}

/** Environments that are refused, though the original took them: record -> reason. */
const refusedAnew: Record<string, string> = {
  'booleans-other-text-counts-as-true': 'a word that is neither yes nor no is a mistake: it switched features on',
  'number-one-and-zero': 'the API server refuses autoscalers with a period of 0 s',
}

/** Values that are read otherwise: record -> variable, value, reason. */
const readAnew: Record<string, { variable: string; value: unknown; reason: string }> = {
  'registry-looks-true': { variable: 'KASPR_IMAGE_REGISTRY', value: 'yes', reason: 'a text stays a text' },
}

void t.test('settings, as recorded', async (t) => {
  for (const { name, environment, expected } of table<SettingsRecord>('settings')) {
    if (expected.settings === null || name in refusedAnew) {
      t.throws(() => readSettings(all, environment), SettingsError, `${name} ${refusedAnew[name] ?? ''}`)
      continue
    }
    const ours = readSettings(all, environment) as Record<string, unknown>
    const other = readAnew[name]
    for (const [key, value] of Object.entries(expected.settings)) {
      const variable = key.toUpperCase()
      if (variable in notHere) continue
      const wanted = other?.variable === variable ? other.value : value
      t.equal(ours[variable], wanted, `${name}: ${variable} ${other?.reason ?? ''}`)
    }
  }
})

void t.test('a word that is neither yes nor no is refused, and no in capitals is no', async (t) => {
  t.match(readSettings(all, { CLIENT_STATUS_CHECK_ENABLED: 'off', AUTO_REBALANCE_ENABLED: 'FALSE' }), {
    CLIENT_STATUS_CHECK_ENABLED: false,
    AUTO_REBALANCE_ENABLED: false,
  })
  t.throws(() => readSettings(all, { HUNG_MEMBER_DETECTION_ENABLED: 'disabled' }), /^HUNG_MEMBER_DETECTION_ENABLED=/)
})

void t.test('a registry may end in a slash', async (t) => {
  t.equal(imageOf({ version: '0.11.18' }, 'r.example.test/x/'), 'r.example.test/x/kasprio/kaspr:0.11.18')
})
