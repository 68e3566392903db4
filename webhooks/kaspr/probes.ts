import type { KasprAppSpec } from '../../crds/types/kasprapp.ts'

type Probe = NonNullable<KasprAppSpec['readinessProbe']>

/**
 * Probes of the member container, as far as the spec asks for them. Both ask `GET /status/` (with the slash; no base path is put
 * before it): a member answers it as soon as it runs, also while it rebalances or recovers, so neither restarts it.
 */
export function probes({ livenessProbe, readinessProbe }: KasprAppSpec): Record<string, unknown> {
  return {
    ...(livenessProbe === undefined ? {} : { livenessProbe: probe(livenessProbe) }),
    ...(readinessProbe === undefined ? {} : { readinessProbe: probe(readinessProbe) }),
  }
}

function probe({
  failureThreshold = 3,
  initialDelaySeconds = 15,
  periodSeconds = 10,
  successThreshold = 1,
  timeoutSeconds = 5,
}: Probe): Record<string, unknown> {
  return {
    httpGet: { path: '/status/', port: 'http' },
    failureThreshold,
    // The API server does not keep a zero here.
    ...(initialDelaySeconds === 0 ? {} : { initialDelaySeconds }),
    periodSeconds,
    successThreshold,
    timeoutSeconds,
  }
}
