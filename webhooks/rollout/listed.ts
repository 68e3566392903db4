/** A list as messages show it: at most so many entries, then `...`. */
export function listed(entries: readonly (string | number)[], most: number): string {
  return entries.length > most ? `${entries.slice(0, most).join(', ')}, ...` : entries.join(', ')
}
