const truths = ['true', 't', '1', 'yes', 'y', 'on']
const untruths = ['false', 'f', '0', 'no', 'n', 'off']

/** What {@link parseBoolean} accepts, in words. */
export const acceptedBooleans = `${truths.join(', ')} or ${untruths.join(', ')}`

/** A boolean as people write it in settings and annotations, in any case; `undefined` for any other text. */
export function parseBoolean(text: string): boolean | undefined {
  const word = text.toLowerCase()
  return truths.includes(word) ? true : untruths.includes(word) ? false : undefined
}
