/** Texts of values that nobody can change any more, for as long as the values live. */
const texts = new WeakMap<object, string>()

/** A value that nobody can change any more, at any depth. */
export function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.values(Object.freeze(value)).forEach(frozen)
  }
  return value
}

/** A JSON value that is frozen and will be part of many texts: {@link jsonText} has its text ready. */
export function withText<T extends object>(value: T): T {
  texts.set(frozen(value), JSON.stringify(value))
  return value
}

/**
 * `JSON.stringify` of a JSON value, put together from the texts that are ready.
 *
 * @param levels how deep they are looked for: 0 is the value itself
 */
export function jsonText(value: object, levels: number): string {
  const ready = texts.get(value)
  if (ready !== undefined) return ready
  if (levels === 0 || Array.isArray(value)) return JSON.stringify(value)
  const fields: string[] = []
  for (const [key, field] of Object.entries(value) as [string, unknown][]) {
    const text = typeof field === 'object' && field !== null ? jsonText(field, levels - 1) : JSON.stringify(field)
    // What is undefined has no text.
    if (text !== undefined) fields.push(`${JSON.stringify(key)}:${text}`)
  }
  return `{${fields.join(',')}}`
}
