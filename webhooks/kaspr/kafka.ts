import type { KasprAppSpec } from '../../crds/types/kasprapp.ts'
import type { Problem } from '../contract/validate.ts'

const mechanisms = { plain: 'PLAIN', 'scram-sha-256': 'SCRAM-SHA-256', 'scram-sha-512': 'SCRAM-SHA-512' }

/** How an app connects to Kafka: plain settings, and where the password is kept. */
export interface KafkaConnection {
  variables: [name: string, value: string][]
  /** Secret reference of `K_KAFKA_AUTH_PASSWORD`; absent without SASL. */
  password?: { name: string; key: string }
}

/** What a SASL login lacks. Only scram, and plain with a username, log in. */
export function authenticationProblems({ authentication }: KasprAppSpec): Problem[] {
  const problems: Problem[] = []
  if (authentication.type !== 'plain' && authentication.username === undefined) {
    problems.push({ field: 'spec.authentication.username', accepted: `the user to log in with ${authentication.type}` })
  }
  const login = authentication.type !== 'plain' || authentication.username !== undefined
  if (login && authentication.passwordSecret === undefined) {
    problems.push({ field: 'spec.authentication.passwordSecret', accepted: '{secretName, passwordKey}' })
  }
  return problems
}

/** Connection settings of a spec without {@link authenticationProblems}. */
export function kafkaConnection(spec: KasprAppSpec): KafkaConnection {
  const { type, username, passwordSecret } = spec.authentication
  const transport = spec.tls === undefined ? 'PLAINTEXT' : 'SSL'
  const brokers: [string, string] = ['K_KAFKA_BOOTSTRAP_SERVERS', spec.bootstrapServers]
  if (username === undefined || passwordSecret === undefined) {
    return { variables: [brokers, ['K_KAFKA_SECURITY_PROTOCOL', transport]] }
  }
  return {
    variables: [
      brokers,
      ['K_KAFKA_SECURITY_PROTOCOL', `SASL_${transport}`],
      ['K_KAFKA_SASL_MECHANISM', mechanisms[type]],
      ['K_KAFKA_AUTH_USERNAME', username],
    ],
    password: { name: passwordSecret.secretName, key: passwordSecret.passwordKey },
  }
}
