/** Variables that would lead a process of a plane elsewhere: to another cluster, or into this test run's reporting. */
const foreign = /^(KUBECONFIG|KUBERNETES_.*|NODE_TEST_CONTEXT|TAP_.*|TAP|METACONTROLLER_BIN)$/

/** This process' environment without anything that belongs to another cluster or to the test runner. */
export function cleanEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !foreign.test(name)))
}
