/** What Metacontroller applied last to an object, as JSON. */
export const lastAppliedAnnotation = 'metacontroller.k8s.io/last-applied-configuration'

/**
 * Annotations of children and attachments that Metacontroller writes itself; an answer may not have them. It marks each
 * attachment with its controller before it applies it, so that mark is among what was applied last.
 */
export const metacontrollerAnnotations: readonly string[] = [
  lastAppliedAnnotation,
  'metacontroller.k8s.io/decorator-controller',
]
