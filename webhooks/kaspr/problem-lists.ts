import { type Problem, shown } from '../contract/validate.ts'

/** The problems of all items of a list, each at `list[index]`. */
export function each<Item>(
  items: readonly Item[] | undefined,
  list: string,
  problems: (item: Item, field: string) => Problem[],
): Problem[] {
  return (items ?? []).flatMap((item, index) => problems(item, `${list}[${index}]`))
}

/** One problem, unless all is well. */
export function unless(fine: boolean, field: string, value: unknown, accepted: string): Problem[] {
  return fine ? [] : [{ field, value: shown(value), accepted }]
}

/** Entries whose key is taken already, or was by an entry before. */
export function duplicates(keys: readonly string[], taken: readonly string[], list: string, key: string): Problem[] {
  const used = new Set(taken)
  return keys.flatMap((value, index) => {
    const isNew = !used.has(value)
    used.add(value)
    return unless(isNew, `${list}[${index}].${key}`, value, 'one that is not in use yet')
  })
}
