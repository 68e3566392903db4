import type { Problem } from '../contract/validate.ts'
import { unless } from './problem-lists.ts'

const subdomain = '[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*'
const labelKey = new RegExp(`^(${subdomain}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`)

/** Keys of a map of labels that Kubernetes refuses, which a schema cannot say. */
export function labelKeyProblems(labels: Record<string, string> | undefined, field: string): Problem[] {
  return Object.keys(labels ?? {}).flatMap((key) => keyProblems(key, key, field))
}

/** The same for annotations, whose prefix may be in upper case. */
export function annotationKeyProblems(annotations: Record<string, string> | undefined, field: string): Problem[] {
  return Object.keys(annotations ?? {}).flatMap((key) => keyProblems(key, key.toLowerCase(), field))
}

function keyProblems(key: string, text: string, field: string): Problem[] {
  const fine = labelKey.test(text) && text.lastIndexOf('/') <= 253
  return unless(fine, field, key, 'keys such as team or example.com/team')
}
