/** What is started on the node, and what its container is to say. */
export interface Containers {
  /** Commands of the log store and the collector. */
  store: string[];
  collector: string[];
  /** Of the stack, whose logs are collected. */
  namespace: string;
  /** Lines. */
  count: number;
}

/** Lines of a container that the store holds. */
export interface Found {
  lines: number;
  different: number;
}
