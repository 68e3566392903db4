/**
 * Something a hook must never do: it would end the original's process (which hosts everybody's controllers), or drive
 * it into a loop without pause. The stand-in ends its own process with exit code 2 and a line that begins with
 * `panic:`, as the original does when it crashes, so a test that runs it cannot overlook it.
 */
export class Hazard extends Error {
  override name = 'Hazard'
}
