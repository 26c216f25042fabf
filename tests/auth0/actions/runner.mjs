// Runs post-login Actions as Auth0 documents them ("API Object" and "Event Object" of the trigger): one after the other, each
// in the sandbox, with the documented methods and no others.

/** Runs `actions` (`{ code, secrets }`) in order. Gives what they asked for, and the user's metadata after it. */
export async function postLogin(sandbox, actions, event, { routes } = {}) {
  const outcome = { denied: null, multifactor: null, ran: 0, console: [], app_metadata: { ...event.user.app_metadata } };
  let metadata = {};
  for (const { code, secrets } of actions) {
    const seen = { ...event, secrets, transaction: { ...event.transaction, metadata } };
    const report = await sandbox.run({ source: wrapped(code), args: [seen], routes });
    if (report.faults.length > 0) throw new Error(report.faults.join('; '));
    // [DOC] what an Action throws ends the log-in; here it is a fault of ours
    if (report.error) throw new Error(`${report.error.name}: ${report.error.message}`);
    outcome.ran += 1;
    outcome.console.push(...report.console);
    metadata = report.result.metadata;
    for (const [method, ...args] of report.result.told) {
      if (method === 'access.deny') [outcome.denied] = args;
      if (method === 'multifactor.enable') outcome.multifactor = args;
      // [DOC] null removes it; the changes are stored together, when the flow ends
      if (method === 'user.setAppMetadata') args[1] === null ? delete outcome.app_metadata[args[0]] : ([, outcome.app_metadata[args[0]]] = args);
    }
    if (outcome.denied !== null) break; // [DOC] "no further Actions will be executed"; metadata is stored all the same
  }
  return outcome;
}

/** An event of a log-in. `user` has what the profile has; the identity's id is the user's without `auth0|`. */
export function loginEvent(user, { connection = 'legacy-users', protocol = 'oidc-basic-profile', methods = [{ name: 'pwd' }] } = {}) {
  const identity = { connection, isSocial: false, provider: 'auth0', user_id: user.user_id.replace(/^auth0\|/, '') };
  return {
    authentication: { methods },
    client: { client_id: 'client_1', name: 'App', metadata: {} },
    connection: { id: 'con_1', name: connection, strategy: 'auth0', metadata: {} },
    request: { hostname: 'tenant.test', ip: '192.0.2.1', method: 'GET', query: {}, body: {} },
    tenant: { id: 'tenant' },
    transaction: { protocol, requested_scopes: [], locale: 'en' },
    user: { app_metadata: {}, user_metadata: {}, created_at: '2026-01-01T00:00:00.000Z', identities: [identity], ...user },
  };
}

// The Action's text is compiled on its own, so that it sees nothing of what stands here.
function wrapped(code) {
  return `function action(event, callback) {
  const told = [];
  const { metadata } = event.transaction;
  const say = (name) => (...args) => void told.push([name, ...JSON.parse(JSON.stringify(args))]);
  const need = (right, what) => { if (!right) throw new TypeError(what); };
  const isText = (value) => typeof value === 'string';
  global.cache ??= new Map();
  const api = {
    access: { deny: (reason) => { need(isText(reason), 'deny'); say('access.deny')(reason); } },
    cache: {
      delete: (key) => void global.cache.delete(key),
      get: (key) => global.cache.get(key),
      set: (key, value, options) => {
        need(isText(key) && isText(value) && Number.isFinite(options.ttl), 'cache.set');
        global.cache.set(key, { value, expires_at: Date.now() + options.ttl });
        return { type: 'success' };
      },
    },
    multifactor: {
      enable: (provider, options) => {
        need(['none', 'guardian', 'google-authenticator', 'duo', 'any'].includes(provider), 'multifactor.enable');
        say('multifactor.enable')(provider, options ?? {});
      },
    },
    transaction: {
      setMetadata: (key, value) => {
        need(key.length <= 64 && ['string', 'number', 'boolean'].includes(typeof value), 'setMetadata');
        need(Buffer.byteLength(String(value)) <= 8192, 'setMetadata: 8 KB');
        metadata[key] = value;
      },
    },
    user: { setAppMetadata: say('user.setAppMetadata'), setUserMetadata: say('user.setUserMetadata') },
  };
  const exported = {};
  new Function('exports', 'module', ${JSON.stringify(code)})(exported, { exports: exported });
  Promise.resolve(exported.onExecutePostLogin(event, api)).then(() => callback(null, { told, metadata }), callback);
}`;
}
