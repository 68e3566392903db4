/** The value of a key of labels or annotations, or undefined; keys such as `constructor` have none unless they are there. */
export function ownText(map: Record<string, string> | undefined, key: string): string | undefined {
  return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined
}
