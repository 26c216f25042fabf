// A double of Auth0's Management API, as far as auth0-deploy-cli needs it for connections, Actions and bindings, and
// `idbridge doctor --auth0` to read them: HTTPS on loopback, everything in memory. What arrives is kept as it arrived.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Which scope a GET takes, as Auth0's reference lists them; options of connections take one more, and are left out without it. */
const SCOPES = [
  [/^\/connections/, 'read:connections'],
  [/^\/actions/, 'read:actions'],
  [/^\/attack-protection/, 'read:attack_protection'],
  [/^\/guardian/, 'read:guardian_factors'],
  [/^\/tenants/, 'read:tenant_settings'],
];
export const OPTIONS_SCOPE = 'read:connections_options';
export const ALL_SCOPES = [...SCOPES.map(([, scope]) => scope), OPTIONS_SCOPE];

/**
 * Starts one. `bound`: the names of Actions that are bound to post-login already; `there`: a connection of this name is.
 * With `access`, `{ token, scopes }`, it asks for that token and those scopes. `fault`, `[status, headers, text]`, takes the place of
 * every answer.
 */
export async function startManagement({ bound = [], there } = {}) {
  const tls = certificate();
  const tenant = {
    actions: [],
    beforeSignUp: [],
    bruteForce: { enabled: true, shields: ['block', 'user_notification'], mode: 'count_per_identifier_and_ip', allowlist: [], max_attempts: 10 },
    clients: [],
    factors: [{ name: 'otp', enabled: true }, { name: 'sms', enabled: false }, { name: 'recovery-code', enabled: true }],
    settings: { sandbox_version: '22', sandbox_versions_available: ['22', '18'] },
    bindings: bound.map((name) => ({ action: { name }, display_name: name })),
    connections: there ? [{ id: 'con_0', name: there, options: {}, strategy: 'auth0' }] : [],
  };
  const asked = [];
  const server = createServer(tls, async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    const url = new URL(request.url, 'https://localhost');
    const call = {
      method: request.method, path: url.pathname.replace('/api/v2', ''), query: Object.fromEntries(url.searchParams),
      body: text ? JSON.parse(text) : undefined,
    };
    asked.push(call);
    if (double.fault) {
      const [status, headers, body] = double.fault;
      response.writeHead(status, headers);
      return response.end(body);
    }
    const [status, body] = refusal(double.access, request, call) ?? withoutOptions(double.access, call, answer(tenant, call));
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  const double = {
    access: undefined,
    fault: undefined,
    asked,
    tenant,
    certificateFile: tls.file,
    domain: `localhost:${server.address().port}`,
    connection: (name) => tenant.connections.find((one) => one.name === name),
    action: (name) => tenant.actions.find((one) => one.name === name),
    /** What changed the tenant: `METHOD path`, ids left out. */
    changes: () => asked.filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${path.replace(/(con|act)_\d+/, 'ID')}`),
    close() {
      server.close();
      server.closeAllConnections();
      rmSync(tls.folder, { recursive: true });
    },
  };
  return double;
}

function refusal(access, { headers }, { path }) {
  if (!access) return undefined;
  if (headers.authorization !== `Bearer ${access.token}`) return [401, { statusCode: 401, error: 'Unauthorized', message: 'Invalid token' }];
  const [, scope] = SCOPES.find(([pattern]) => pattern.test(path)) ?? [];
  if (access.scopes.includes(scope)) return undefined;
  return [403, { statusCode: 403, error: 'Forbidden', message: `Insufficient scope, expected any of: ${scope}`, errorCode: 'insufficient_scope' }];
}

/** No error says that the options were left out. */
function withoutOptions(access, { path }, [status, body]) {
  if (!access || access.scopes.includes(OPTIONS_SCOPE) || path !== '/connections') return [status, body];
  const connections = (body.connections ?? body).map((connection) => ({ ...connection, options: {} }));
  return [status, body.connections ? { ...body, connections } : connections];
}

/** A page, where one is asked for, as Auth0 does it. */
function paged(key, all, { page, per_page }) {
  const size = Number(per_page ?? 100);
  const start = Number(page ?? 0) * size;
  return { [key]: all.slice(start, start + size), page: Number(page ?? 0), per_page: size, start, limit: size, total: all.length };
}

function answer(tenant, { method, path, query, body }) {
  const [kind, id, part] = path.slice(1).split('/');
  if (kind === 'connections') return connections(tenant, method, id, part, body, query);
  if (path === '/actions/actions' && method === 'POST') {
    const action = { ...body, id: `act_${tenant.actions.length + 1}`, status: 'built' };
    tenant.actions.push(action);
    return [201, action];
  }
  if (path === '/actions/actions') return [200, paged('actions', tenant.actions, query)];
  if (path.startsWith('/actions/actions/')) return oneAction(tenant, method, ...path.split('/').slice(3), body);
  if (path === '/actions/triggers') return [200, { triggers: [{ id: 'post-login', version: 'v3', status: 'CURRENT' }] }];
  if (path === '/actions/triggers/post-login/bindings') {
    if (method === 'PATCH') {
      // The whole list, as Auth0 takes it. An Action that isn't there, or isn't deployed, can't be bound.
      const named = (name) => tenant.actions.some((action) => action.name === name && action.deployed);
      if (!body.bindings.every(({ ref }) => named(ref.value))) return [404, { message: 'no such Action is deployed' }];
      const idOf = (name) => tenant.actions.find((action) => action.name === name).id;
      tenant.bindings = body.bindings.map(({ ref, display_name }) => ({ action: { id: idOf(ref.value), name: ref.value }, display_name }));
    }
    return [200, paged('bindings', tenant.bindings, query)];
  }
  if (path === '/actions/triggers/pre-user-registration/bindings') return [200, paged('bindings', tenant.beforeSignUp, query)];
  if (path === '/attack-protection/brute-force-protection') return [200, tenant.bruteForce];
  if (path === '/guardian/factors') return [200, tenant.factors];
  if (path === '/tenants/settings') return [200, tenant.settings];
  if (path === '/actions/modules') return [200, { modules: [], page: 0, per_page: 100, total: 0 }];
  if (path === '/clients') return [200, { clients: [], start: 0, limit: 100, total: 0 }];
  return [404, { statusCode: 404, error: 'Not Found', message: `the double has no ${method} ${path}` }];
}

function connections(tenant, method, id, part, body, query) {
  const found = tenant.connections.find((one) => one.id === id);
  if (!id && method === 'GET') {
    const all = tenant.connections.filter(({ name }) => !query.name || name === query.name);
    if (query.take) return [200, { connections: all }];
    return [200, query.include_totals === 'true' ? paged('connections', all, query) : all];
  }
  if (!id && method === 'POST') {
    const connection = { ...body, id: `con_${tenant.connections.length + 1}` };
    tenant.connections.push(connection);
    return [201, connection];
  }
  if (!found) return [404, { statusCode: 404, message: 'no such connection' }];
  if (part === 'clients') return [200, { clients: tenant.clients }];
  if (method === 'PATCH') Object.assign(found, body); // options are replaced whole, as Auth0 does
  if (method === 'DELETE') {
    tenant.connections.splice(tenant.connections.indexOf(found), 1);
    return [204];
  }
  return [200, found];
}

function oneAction(tenant, method, id, ...rest) {
  const [part, body] = rest.length === 2 ? rest : [undefined, rest[0]];
  const action = tenant.actions.find((one) => one.id === id);
  if (!action) return [404, { statusCode: 404, message: 'no such Action' }];
  if (part === 'deploy') Object.assign(action, { deployed: true, all_changes_deployed: true, deployed_version: { code: action.code, deployed: true, runtime: action.runtime } });
  else if (method === 'PATCH') Object.assign(action, body);
  return [200, action];
}

// For this machine's own tool and for an hour.
function certificate() {
  const folder = mkdtempSync(join(tmpdir(), 'idbridge-management-'));
  const [file, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const config = join(folder, 'req.cnf');
  // Of no authority: rustls takes an authority's certificate for no server's.
  writeFileSync(config, '[req]\ndistinguished_name=name\nx509_extensions=server\n[name]\n[server]\nbasicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:localhost\n');
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1', '-subj', '/CN=localhost',
    '-config', config, '-keyout', key, '-out', file,
  ], { stdio: 'ignore' });
  return { file, folder, cert: readFileSync(file), key: readFileSync(key) };
}
