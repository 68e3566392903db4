/** A kind as a Metacontroller rule names it. */
export interface KindRule {
  /** `v1`, `apps/v1`. */
  apiVersion: string
  /** `ConfigMap`, `StatefulSet`. */
  kind: string
}
