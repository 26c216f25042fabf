// A double of Auth0's Management API, as far as auth0-deploy-cli needs it for connections, Actions and bindings: HTTPS on
// loopback, everything in memory. What arrives is kept as it arrived.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Starts one. `bound`: the names of Actions that are bound to post-login already; `there`: a connection of this name is. */
export async function startManagement({ bound = [], there } = {}) {
  const tls = certificate();
  const tenant = {
    actions: [],
    bindings: bound.map((name) => ({ action: { name }, display_name: name })),
    connections: there ? [{ id: 'con_0', name: there, options: {}, strategy: 'auth0' }] : [],
  };
  const asked = [];
  const server = createServer(tls, async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    const url = new URL(request.url, 'https://localhost');
    const call = { method: request.method, path: url.pathname.replace('/api/v2', ''), body: text ? JSON.parse(text) : undefined };
    asked.push(call);
    const [status, body] = answer(tenant, call);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  return {
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
}

function answer(tenant, { method, path, body }) {
  const [kind, id, part] = path.slice(1).split('/');
  if (kind === 'connections') return connections(tenant, method, id, part, body);
  if (path === '/actions/actions' && method === 'POST') {
    const action = { ...body, id: `act_${tenant.actions.length + 1}`, status: 'built' };
    tenant.actions.push(action);
    return [201, action];
  }
  if (path === '/actions/actions') return [200, { actions: tenant.actions, page: 0, per_page: 100, total: tenant.actions.length }];
  if (path.startsWith('/actions/actions/')) return oneAction(tenant, method, ...path.split('/').slice(3), body);
  if (path === '/actions/triggers') return [200, { triggers: [{ id: 'post-login', version: 'v3', status: 'CURRENT' }] }];
  if (path === '/actions/triggers/post-login/bindings') {
    if (method === 'PATCH') {
      // The whole list, as Auth0 takes it. An Action that isn't there, or isn't deployed, can't be bound.
      const named = (name) => tenant.actions.some((action) => action.name === name && action.deployed);
      if (!body.bindings.every(({ ref }) => named(ref.value))) return [404, { message: 'no such Action is deployed' }];
      tenant.bindings = body.bindings.map(({ ref, display_name }) => ({ action: { name: ref.value }, display_name }));
    }
    return [200, { bindings: tenant.bindings, page: 0, per_page: 100, total: tenant.bindings.length }];
  }
  if (path === '/actions/modules') return [200, { modules: [], page: 0, per_page: 100, total: 0 }];
  if (path === '/clients') return [200, { clients: [], start: 0, limit: 100, total: 0 }];
  return [404, { statusCode: 404, error: 'Not Found', message: `the double has no ${method} ${path}` }];
}

function connections(tenant, method, id, part, body) {
  const found = tenant.connections.find((one) => one.id === id);
  if (!id && method === 'GET') return [200, { connections: tenant.connections }];
  if (!id && method === 'POST') {
    const connection = { ...body, id: `con_${tenant.connections.length + 1}` };
    tenant.connections.push(connection);
    return [201, connection];
  }
  if (!found) return [404, { statusCode: 404, message: 'no such connection' }];
  if (part === 'clients') return [200, { clients: [] }];
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
  if (part === 'deploy') Object.assign(action, { deployed: true, all_changes_deployed: true });
  else if (method === 'PATCH') Object.assign(action, body);
  return [200, action];
}

// For this machine's own tool and for an hour.
function certificate() {
  const folder = mkdtempSync(join(tmpdir(), 'idbridge-management-'));
  const [file, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', file,
  ], { stdio: 'ignore' });
  return { file, folder, cert: readFileSync(file), key: readFileSync(key) };
}
