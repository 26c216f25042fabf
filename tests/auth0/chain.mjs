// The doors to the real chain: gateway, broker and a simulated Okta org in other processes,
// started by `idbridge-chain` (tests/chain).
//
//   IDBRIDGE_URL      the gateway
//   IDBRIDGE_KEY      a caller's key that may authenticate and look up
//   OKTA_CONTROL_URL  changes the org and the gateway while they run, see the calls below

const NEEDED = ['IDBRIDGE_KEY', 'IDBRIDGE_URL', 'OKTA_CONTROL_URL'];
const missing = NEEDED.filter((name) => !process.env[name]);
if (missing.length > 0) throw new Error(`start the chain first: ${missing.join(', ')} not set`);

export const CONFIGURATION = Object.freeze({
  IDBRIDGE_KEY: process.env.IDBRIDGE_KEY,
  IDBRIDGE_URL: process.env.IDBRIDGE_URL,
});

export const chain = {
  /** Requests at `endpoint` (`authn`, `factors`, `search`, `user` or `any`) meet `fault`: the next `times`, or all. */
  fault: (endpoint, fault, times = null) => control('POST', '/okta/fault', { endpoint, fault, times }),
  /** The org is well again: no faults, and its tokens good. */
  clear: () => control('POST', '/okta/clear'),
  /** `{ submissions, requests }`: passwords that reached the org, and requests of any kind. */
  received: () => control('GET', '/okta/received'),
  revokeTokens: () => control('POST', '/okta/revoke-tokens'),
  /** Stopped, and started again at its address with these settings from the environment, or with its own alone. */
  restartBroker: (settings) => restart('broker', settings),
  restartGateway: (settings) => restart('gateway', settings),
  /** Answered when nothing listens at the gateway's address any more. */
  stopGateway: () => control('POST', '/gateway/stop'),
  /** Answered when the gateway takes calls again, at the same address. */
  startGateway: () => control('POST', '/gateway/start'),
};

async function restart(part, settings) {
  await control('POST', `/${part}/stop`);
  await control('POST', `/${part}/start`, settings);
}

async function control(method, path, body) {
  const response = await fetch(process.env.OKTA_CONTROL_URL + path, {
    method,
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}
