/**
 * Remembers what a pure function made of an input, by the whole input and not by a digest or a version of it: an answer is
 * the same with it and without it, only sooner. Results are shared between calls, so they must not be changed.
 *
 * It holds two generations. When the younger one is full it becomes the older one, and what was not asked for since is
 * forgotten: no bookkeeping when something is found.
 *
 * @param limit characters of inputs in a generation
 */
export function memo<Result>(limit: number): (input: string, make: () => Result) => Result {
  let young = new Map<string, { result: Result }>()
  let old = young
  let characters = 0
  return (input, make) => {
    const found = young.get(input)
    if (found !== undefined) return found.result
    const entry = old.get(input) ?? { result: make() }
    characters += input.length
    if (characters > limit) {
      old = young
      young = new Map()
      characters = input.length
    }
    young.set(input, entry)
    return entry.result
  }
}
