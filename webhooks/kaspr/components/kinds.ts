/** What a component kind is called where. */
export interface ComponentKind {
  kind: string
  /** Lower-case plural of the resource. */
  resource: string
  /** Ends the name of the ConfigMap, its file and the volume: `<name>-agent`. */
  suffix: string
  /** Top-level key of the definition file. */
  root: string
  /** Environment variable of the app container that carries the hash of all components of the kind. */
  hashVariable: string
}

export const agentKind: ComponentKind = {
  kind: 'KasprAgent',
  resource: 'kaspragents',
  suffix: 'agent',
  root: 'agents',
  hashVariable: 'AGENTS_HASH',
}

/** The component kinds of this version, in the order in which their files are mounted. */
export const componentKinds: readonly ComponentKind[] = [agentKind]
