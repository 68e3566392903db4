import type { KubeObject } from '../../webhooks/contract/types.ts'
import { appLabel, kasprApiVersion } from '../../webhooks/kaspr/names.ts'

/** The KasprApp of the benches: a login at Kafka, a claim for each member, limits. */
export function benchApp(name: string): KubeObject {
  return resource('KasprApp', name, { team: 'fulfilment' }, appSpec)
}

/**
 * Components of the app called `app`, in the mix of an ordinary app: of ten, five are agents, two tables, and one each
 * webview, task and join. The first is an agent.
 */
export function benchComponents(app: string, count: number): KubeObject[] {
  return Array.from({ length: count }, (_, index) => {
    const [kind, spec] = mix(app, index)
    return resource(kind, `${app}-${index}`, { [appLabel]: app }, spec)
  })
}

function resource(kind: string, name: string, labels: Record<string, string>, spec: unknown): KubeObject {
  return { apiVersion: kasprApiVersion, kind, metadata: { name, namespace: 'bench', labels }, spec }
}

function mix(app: string, index: number): [kind: string, spec: unknown] {
  const turn = index % 10
  const tables = [5, 6].map((other) => `${app}-${index - turn + other}`)
  if (turn < 5) return ['KasprAgent', agentSpec(`orders-${index}`)]
  if (turn < 7) return ['KasprTable', tableSpec]
  if (turn === 7) return ['KasprWebView', webviewSpec(`/orders-${index}/{number}`, tables)]
  if (turn === 8) return ['KasprTask', taskSpec(tables)]
  return ['KasprJoin', joinSpec(tables)]
}

const appSpec = {
  version: '0.11.19',
  replicas: 3,
  bootstrapServers: 'kafka-0.kafka:9093,kafka-1.kafka:9093',
  tls: {},
  authentication: {
    type: 'scram-sha-512',
    username: 'orders',
    passwordSecret: { secretName: 'orders-kafka', passwordKey: 'password' },
  },
  config: { topicPartitions: 12, topicReplicationFactor: 3, webPort: 8080 },
  resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { memory: '2Gi' } },
  storage: { type: 'persistent-claim', class: 'standard', size: '20Gi' },
}

function agentSpec(topic: string): unknown {
  return {
    description: 'Keeps orders with positions, and sends express orders to a topic of their own.',
    input: { topic: { name: topic, valueSerializer: 'json' }, take: { max: 100, within: '2s' } },
    output: { topics: [{ name: `${topic}-clean`, valueSerializer: 'json', keySelector: { python: numberOf } }] },
    processors: {
      pipeline: ['has-positions', 'price', 'send'],
      operations: [
        { name: 'has-positions', filter: { python: hasPositions } },
        { name: 'price', map: { python: price } },
        { name: 'send', topicSend: { nameSelector: { python: outputTopic }, valueSerializer: 'json', ack: true } },
      ],
    },
  }
}

const tableSpec = {
  description: 'Orders that were not shipped yet, by number.',
  valueSerializer: 'json',
  partitions: 12,
  defaultSelector: { python: 'def default():\n    return dict\n' },
  extraTopicConfigs: { 'retention.ms': -1, 'min.insync.replicas': '2' },
}

function webviewSpec(path: string, tables: readonly string[]): unknown {
  return {
    description: 'Tells whether an order is still open.',
    request: { method: 'GET', path },
    response: { contentType: 'application/json', headers: { 'Cache-Control': 'no-store' } },
    processors: {
      pipeline: ['find'],
      operations: [{ name: 'find', tables: named(tables), map: { python: find } }],
    },
  }
}

function taskSpec(tables: readonly string[]): unknown {
  return {
    description: 'Sends a reminder every morning for orders that are older than three days.',
    onLeader: true,
    schedule: { cron: '0 6 * * *', timezone: 'Europe/Berlin' },
    processors: {
      pipeline: ['late', 'send'],
      init: { python: 'from time import time\nlimit = 3 * 24 * 3600\n' },
      operations: [
        { name: 'late', tables: named(tables), map: { python: late } },
        { name: 'send', topicSend: { name: 'reminders', valueSerializer: 'json', ack: true } },
      ],
    },
  }
}

function joinSpec([leftTable, rightTable]: readonly string[]): unknown {
  const extractor = { python: 'def customer_number(order):\n    return order["customer"]\n' }
  return { description: 'Adds the customer to each order.', leftTable, rightTable, type: 'left', extractor }
}

function named(tables: readonly string[]): unknown {
  return tables.map((name, index) => ({ name, paramName: `table_${index}` }))
}

const numberOf = `def key(order):
    return order["number"]
`

const hasPositions = `def has_positions(order):
    positions = order.get("positions", [])
    return len(positions) > 0 and all(position["quantity"] > 0 for position in positions)
`

const price = `def price(order):
    total = 0
    for position in order["positions"]:
        discount = 0.1 if position["quantity"] >= 10 else 0
        total += position["quantity"] * position["price"] * (1 - discount)
    order["total"] = round(total, 2)
    return order
`

const outputTopic = `def topic(order):
    return "orders-express" if order.get("express") else "orders-normal"
`

const find = `def find(request, table_0, table_1, number):
    order = table_0[number]
    return {"number": number, "order": order, "customer": table_1[order["customer"]]}
`

const late = `def late(table_0, table_1):
    for order in table_0.values():
        if time() - order["time"] > limit:
            yield order
`
