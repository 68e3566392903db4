/** What ties a component to topics of Kafka and to other components of its app. */
export interface Links {
  /** What `status.linkedResources` of the app records of it, besides name and hash. */
  recorded: { topicName?: string; topicPattern?: string; tableName?: string }
  /** Topics that members consume for it: names as they are, patterns with a `~` in front. */
  topics: string[]
  /** Topics that the runtime makes for it, without the Kafka id of the app and the dash that their names start with. */
  ownTopics: string[]
  /** Tables without which the runtime ends at its start: the field of `spec` and the table that it names. */
  tables: { field: string; name: string }[]
}

/** Of a component that touches no topic and no table. */
export const noLinks: Links = { recorded: {}, topics: [], ownTopics: [], tables: [] }
