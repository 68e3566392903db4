/**
 * A stand-in for Metacontroller 4.17.2 with dynamic apply, for tests only: it reads the same CompositeControllers and
 * DecoratorControllers, calls the same hooks and writes the same objects. test/cluster/conformance.scenario.ts holds it
 * and the real binary to one list of behaviours.
 *
 * Not played: rolling update methods, etags, basicAuth, endpointConfigs, redirects, server-side apply, leader election,
 * correlation of similar Events, duplicate keys in answers, the limits --client-go-qps and -burst. Objects are sent to
 * hooks without `metadata.managedFields`.
 *
 * Where a hook would crash the original or drive it into a loop without pause, this process ends with exit code 2 and a
 * line that begins with `panic:` (see hazard.ts).
 */
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { Counter, Registry } from 'prom-client'
import { createClient } from '../../../poller/kube/client.ts'
import { Discovery } from './discovery.ts'
import { EventRecorder } from './events.ts'
import type { Hazard } from './hazard.ts'
import { Informers } from './informers.ts'
import { Manager } from './manager.ts'
import { ObjectsApi } from './objects-api.ts'
import type { World } from './hosted.ts'
import { parseDuration } from './webhook.ts'

/** The original's flags, as far as tests use them, and one of our own. */
const flags = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    'client-go-qps': { type: 'string' },
    'client-go-burst': { type: 'string' },
    'discovery-interval': { type: 'string', default: '30s' },
    'cache-flush-interval': { type: 'string', default: '30m' },
    workers: { type: 'string', default: '5' },
    'metrics-address': { type: 'string', default: ':9999' },
    'health-probe-bind-address': { type: 'string', default: ':8081' },
    'zap-log-level': { type: 'string', default: 'info' },
    /** Ends the process when an answer deletes all children by not naming them. */
    'fail-without-children': { type: 'boolean', default: false },
  },
}).values

const logger = pino({ level: flags['zap-log-level'] === 'info' ? 'info' : 'debug' }, pino.destination(2))
const registry = new Registry()

const labelNames = ['controller_type', 'controller_name', 'url', 'code'] as const
const counters = new Map<string, Counter<(typeof labelNames)[number]>>()

function countCall(controllerType: string, controllerName: string, hook: string): (url: string, code: number) => void {
  const name = `metacontroller_${hook}_requests_total`
  const counter =
    counters.get(hook) ?? new Counter({ name, help: `Calls of ${hook} hooks`, labelNames, registers: [registry] })
  counters.set(hook, counter)
  return (url, code) => counter.inc({ controller_type: controllerType, controller_name: controllerName, url, code })
}

function onHazard(hazard: Hazard): void {
  process.stderr.write(`panic: ${hazard.message}\n`)
  process.exit(2)
}

const client = createClient({
  ...(flags.kubeconfig === undefined ? {} : { kubeconfig: flags.kubeconfig }),
  userAgent: 'metacontroller-stand-in',
  logger,
  connections: 64,
})
const world: World = {
  client,
  api: new ObjectsApi(client),
  discovery: new Discovery(client, parseDuration(flags['discovery-interval'])),
  informers: new Informers(client, logger),
  events: new EventRecorder(client, logger),
  logger,
  workers: Number(flags.workers),
  cacheFlushMs: parseDuration(flags['cache-flush-interval']),
  failWithoutChildren: flags['fail-without-children'],
  countCall,
  onHazard,
}

/** Serves fixed paths on `host:port`; an empty host is every address, address `0` is nothing. */
async function serve(address: string, paths: Record<string, () => Promise<string>>): Promise<Server | undefined> {
  if (address === '0') return undefined
  const colon = address.lastIndexOf(':')
  const server = createServer((request, response) => {
    const path = paths[request.url ?? '']
    if (!path) return void response.writeHead(404).end()
    void path().then((text) => response.end(text))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(Number(address.slice(colon + 1)), address.slice(0, colon) || undefined, resolve)
  })
  return server
}

const ok = (): Promise<string> => Promise.resolve('ok')
await client.request({ path: '/api' }) // an unreachable API server ends the start, as in the original
const manager = new Manager(world)
const servers = [
  await serve(flags['metrics-address'], { '/metrics': () => registry.metrics() }),
  await serve(flags['health-probe-bind-address'], { '/healthz': ok, '/readyz': ok }),
]
manager.start()
logger.info('the Metacontroller stand-in is running')

async function stop(): Promise<void> {
  for (const server of servers) server?.close()
  await manager.stop()
  await client.close()
  process.exit(0)
}
process.once('SIGTERM', () => void stop())
process.once('SIGINT', () => void stop())
