import type { KasprAppSpec } from '../../crds/types/kasprapp.ts'
import { type Problem, shown } from '../contract/validate.ts'
import { floatText, valueText } from './python-text.ts'

/** Settings of the runtime that are typed, in the order in which they become environment variables. */
const knownKeys: [key: string, type: 'string' | 'integer' | 'float' | 'boolean'][] = [
  ['tableDir', 'string'],
  ['topicReplicationFactor', 'integer'],
  ['topicPartitions', 'integer'],
  ['topicAllowDeclare', 'boolean'],
  ['keySerializer', 'string'],
  ['valueSerializer', 'string'],
  ['schedulerEnabled', 'boolean'],
  ['schedulerCronEnabled', 'boolean'],
  ['schedulerDebugStatsEnabled', 'boolean'],
  ['schedulerTopicPartitions', 'integer'],
  ['schedulerCheckpointSaveIntervalSeconds', 'float'],
  ['schedulerDispatcherDefaultCheckpointLookbackDays', 'integer'],
  ['schedulerDispatcherCheckpointInterval', 'float'],
  ['schedulerJanitorCheckpointInterval', 'float'],
  ['schedulerJanitorCleanIntervalSeconds', 'float'],
  ['schedulerJanitorHighwaterOffsetSeconds', 'float'],
  ['schedulerCronTickIntervalSeconds', 'float'],
  ['schedulerCronTickBufferSeconds', 'float'],
  ['schedulerCronMinIntervalSeconds', 'float'],
  ['storeRocksdbWriteBufferSize', 'integer'],
  ['storeRocksdbMaxWriteBufferNumber', 'integer'],
  ['storeRocksdbTargetFileSizeBase', 'integer'],
  ['storeRocksdbBlockCacheSize', 'integer'],
  ['storeRocksdbBlockCacheCompressedSize', 'integer'],
  ['storeRocksdbBloomFilterSize', 'integer'],
  ['storeRocksdbSetCacheIndexAndFilterBlocks', 'boolean'],
  ['webBasePath', 'string'],
  ['webPort', 'integer'],
  ['webMetricsBasePath', 'string'],
]

const known = new Map(knownKeys)

/** Directory of the table store, mounted from the claim. */
const defaultTableDir = '/var/lib/data/tables'
const defaultDefinitionsDir = '/var/lib/data/definitions'
const defaultDataDir = '/var/lib/data'
const defaultWebPort = 6065

/** Settings of the runtime as the pods get them. */
export interface RuntimeConfig {
  /** Environment variables of the settings ConfigMap, in the order in which the container names them. */
  variables: [name: string, value: string][]
  webPort: number
  tableDir: string
  definitionsDir: string
}

/** What is wrong with `spec.config`; empty when it can be rendered. */
export function configProblems(config: Record<string, unknown>): Problem[] {
  const problems: Problem[] = []
  for (const [key, value] of Object.entries(config)) {
    const type = known.get(key)
    if (type !== undefined && typedText(type, value) === undefined) {
      problems.push({ field: `spec.config.${key}`, value: shown(value), accepted: acceptedForms[type] })
    } else if (!/^[-._a-zA-Z0-9]{1,251}$/.test(key)) {
      // A ConfigMap key and, with K_ in front, a variable name must be made of it.
      problems.push({
        field: `spec.config.${key.slice(0, 60)}`,
        value: shown(key),
        accepted: 'keys of letters, digits, ".", "_" and "-", 251 characters at most',
      })
    } else {
      problems.push(...readHereProblems(key, value))
    }
  }
  return problems
}

/** Settings that are not only passed on: whatever key becomes their variable, containers are made of them. */
function readHereProblems(key: string, value: unknown): Problem[] {
  const variable = known.has(key) ? variableName(key) : `K_${key.toUpperCase()}`
  const field = `spec.config.${key}`
  if (variable === 'K_WEB_PORT' && value != null) {
    const port = Number(valueText(value))
    const fine = Number.isInteger(port) && port >= 1 && port <= 65535
    return fine ? [] : [{ field, value: shown(value), accepted: 'a port, 1 to 65535' }]
  }
  const isDirectory = variable === 'K_TABLE_DIR' || variable === 'K_DEFINITIONS_DIR'
  return isDirectory && value === '' ? [{ field, value: '""', accepted: 'the path of a directory' }] : []
}

/**
 * The variables of an app: typed keys in table order, other keys (sorted, so that nothing rolls by chance) as `K_` and
 * the key in upper case, then what the operator decides, each replacing an entry of that name in place.
 *
 * @param spec a spec without {@link configProblems}
 * @param decided variables that must have their value, such as the Kafka connection
 */
export function runtimeConfig(spec: KasprAppSpec, appName: string, kafka: [string, string][]): RuntimeConfig {
  const config = spec.config ?? {}
  const variables = new Map<string, string>()
  for (const [key, type] of knownKeys) {
    if (Object.hasOwn(config, key)) variables.set(variableName(key), typedText(type, config[key]) ?? '')
  }
  const others = Object.keys(config).filter((key) => !known.has(key) && config[key] != null)
  for (const key of others.sort()) variables.set(`K_${key.toUpperCase()}`, valueText(config[key]))

  const webPort = variables.get('K_WEB_PORT') ?? String(defaultWebPort)
  const tableDir = variables.get('K_TABLE_DIR') ?? defaultTableDir
  const definitionsDir = variables.get('K_DEFINITIONS_DIR') ?? defaultDefinitionsDir
  variables.set('K_APP_NAME', appName)
  for (const [name, value] of kafka) variables.set(name, value)
  variables.set('K_WEB_PORT', webPort)
  variables.set('K_DATA_DIR', variables.get('K_DATA_DIR') ?? defaultDataDir)
  variables.set('K_TABLE_DIR', tableDir)
  variables.set('K_DEFINITIONS_DIR', definitionsDir)
  return { variables: [...variables], webPort: Number(webPort), tableDir, definitionsDir }
}

/** `webPort` -> `K_WEB_PORT` */
function variableName(key: string): string {
  return `K_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

const acceptedForms = {
  string: 'text',
  integer: 'a whole number',
  float: 'a number',
  boolean: 'true or false',
}

const words: Record<string, boolean> = {
  t: true,
  true: true,
  y: true,
  yes: true,
  on: true,
  '1': true,
  f: false,
  false: false,
  n: false,
  no: false,
  off: false,
  '0': false,
}

/** The variable's text for a value of a typed key, or `undefined` when the value is refused. */
function typedText(type: keyof typeof texts, value: unknown): string | undefined {
  return texts[type](value)
}

const texts = {
  string: (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined),
  boolean: (value: unknown): string | undefined => {
    const word = ['boolean', 'number', 'string'].includes(typeof value) ? String(value).toLowerCase() : ''
    if (!Object.hasOwn(words, word)) return undefined
    return words[word] === true ? 'True' : 'False'
  },
  /** Fractions are cut off, as the original did. */
  integer: (value: unknown): string | undefined => {
    if (typeof value === 'number' && Number.isFinite(value)) return BigInt(Math.trunc(value)).toString()
    return typeof value === 'string' && /^\s*[+-]?\d+\s*$/.test(value) ? BigInt(value.trim()).toString() : undefined
  },
  float: (value: unknown): string | undefined => {
    const decimal = typeof value === 'string' && /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/.test(value)
    const number = typeof value === 'number' || decimal ? Number(value) : NaN
    return Number.isFinite(number) ? floatText(number) : undefined
  },
}
