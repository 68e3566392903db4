import { childText } from '../contract/answer.ts'
import { freeze } from '../contract/freeze.ts'
import type { KubeObject } from '../contract/types.ts'
import type { ConditionDraft } from '../contract/conditions.ts'

/**
 * Largest child, in bytes of JSON. Metacontroller keeps what it applied in an annotation, and the annotations of an object are
 * limited to 256 KiB together: a larger child would be refused at every sync.
 */
const childLimitBytes = 200 * 1024

/** A child that cannot be applied. */
export interface OversizedChild {
  kind: string
  name: string
  /** With the annotations counted once more, as they are part of the record too. */
  bytes: number
}

/** Which of the children cannot be applied. */
export function oversizedChildren(children: readonly KubeObject[]): OversizedChild[] {
  return children.flatMap((child) => {
    const bytes = appliedBytes(child)
    return bytes <= childLimitBytes ? [] : [{ kind: child.kind, name: child.metadata.name, bytes }]
  })
}

/** The children without the oversized ones: those stay as they are observed, or are left out when there is none. */
export function withoutOversized(
  desired: readonly KubeObject[],
  oversized: readonly OversizedChild[],
  observed: readonly KubeObject[],
): KubeObject[] {
  const isOversized = ({ kind, metadata }: KubeObject): boolean =>
    oversized.some((child) => child.kind === kind && child.name === metadata.name)
  const kept = observed.filter(isOversized).map(freeze)
  return [...desired.filter((child) => !isOversized(child)), ...kept]
}

/** What Valid says about children that are too large; it is about the components when they are what makes pods large. */
export function oversizedCondition(oversized: readonly OversizedChild[], components: number): ConditionDraft {
  const isPods = oversized.some(({ kind }) => kind === 'StatefulSet')
  const sizes = oversized.map(({ kind, name, bytes }) => `${kind} ${name} has ${Math.ceil(bytes / 1024)} KiB`)
  const count = isPods && components > 0 ? `, ${components} components are mounted` : ''
  return {
    type: 'Valid',
    status: 'False',
    reason: isPods && components > manyComponents ? 'TooManyComponents' : 'TooLarge',
    message: `${sizes.join(', ')}${count}; accepted: ${childLimitBytes / 1024} KiB at most. It stays as it is`,
  }
}

/** From here on components are the larger part of a pod template that is too large: each takes about 350 bytes. */
const manyComponents = 250

function appliedBytes(child: KubeObject): number {
  const { annotations } = child.metadata
  return (
    Buffer.byteLength(childText(child)) +
    (annotations === undefined ? 0 : Buffer.byteLength(JSON.stringify(annotations)))
  )
}
