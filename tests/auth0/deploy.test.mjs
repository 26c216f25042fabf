// The whole export, deployed by auth0-deploy-cli as published to a double of the Management API, read back, compared, and run
// against the real chain. And what becomes of values, keywords and mistakes on the way.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { parse } from '@cdktf/hcl2json';
import { loginEvent, postLogin } from './actions/runner.mjs';
import { chain, CONFIGURATION } from './chain.mjs';
import { startDouble } from './double.mjs';
import { deploy, VALUES } from './management/deploy.mjs';
import { startManagement } from './management/double.mjs';
import { NOBODY, PEOPLE } from './people.mjs';
import { Sandbox } from './sandbox/sandbox.mjs';
import { Tenant } from './tenant/tenant.mjs';

const NAME = 'legacy-users';
const ORDER = ['metadata', 'password-expired', 'second-factor', 'roles'].map((action) => `idbridge-${NAME}-${action}`);
const CONNECTION_FOLDER = process.env.IDBRIDGE_AUTH0_EXPORT;
assert.ok(CONNECTION_FOLDER, 'start the chain first: IDBRIDGE_AUTH0_EXPORT not set');
const FOLDER = join(CONNECTION_FOLDER, '..', '..');
const read = (path) => readFileSync(join(FOLDER, path), 'utf8');
const ODD = 'a "quoted" \\ back\\nslash\nline ${x} $& end';

const sandbox = new Sandbox();
const runs = {};
const copies = [];
before(async () => {
  const copy = (edit) => {
    const folder = mkdtempSync(join(tmpdir(), 'idbridge-tenant-'));
    copies.push(folder);
    cpSync(FOLDER, folder, { recursive: true });
    edit(folder);
    return folder;
  };
  const hashes = (folder) => {
    const path = join(folder, 'database-connections', NAME, 'database.json');
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll('@@', '##'));
  };
  const run = async (name, folder, values, more, there) => {
    const management = await startManagement({ bound: ['theirs'], there });
    runs[name] = { management, ...(await deploy(folder, management, values, more)) };
  };
  const values = { ...VALUES, ...CONFIGURATION, IDBRIDGE_MANAGEMENT_SECRET: ODD };
  // A run is some 13 s of one core's work, most of it the tool's own schemas: as few as tell everything.
  await Promise.all([
    // Over a connection that is there. CONNECTION and TEXTS stand in the scripts: a keyword needs its marks.
    run('whole', FOLDER, { ...values, CONNECTION: 'broken', TEXTS: 'broken' }, {}, NAME),
    run('missing', FOLDER, { IDBRIDGE_KEY: ODD }),
    run('marked', FOLDER, { ...values, IDBRIDGE_KEY: 'x##IDBRIDGE_ROLES##y' }),
    run('hashes', copy(hashes), { ...values, IDBRIDGE_KEY: ODD }, { AUTH0_ALLOW_DELETE: 'true', AUTH0_INCLUDED_ONLY: '["databases"]' }, NAME),
  ]);
}, { timeout: 200_000 });
after(() => {
  sandbox.close();
  for (const folder of copies) rmSync(folder, { recursive: true });
  for (const { management } of Object.values(runs)) management.close();
});
afterEach(() => chain.clear());

/** The Actions as they arrived, in the order in which they are bound. */
function arrived({ management }) {
  return management.tenant.bindings.map(({ action }) => {
    const { code, secrets } = management.action(action.name);
    return { code, secrets: Object.fromEntries(secrets.map(({ name, value }) => [name, value])) };
  });
}

function newTenant({ management }) {
  const database = management.connection(NAME);
  const { customScripts, configuration } = database.options;
  return new Tenant({ scripts: customScripts, database, configuration: configuration ?? {}, sandbox });
}

describe('what arrives', () => {
  test('is what was exported: scripts, Actions, options, values, bindings', () => {
    const { management, code, printed } = runs.whole;
    assert.equal(code, 0, printed);
    assert.deepEqual(management.changes().filter((change) => /connections/.test(change)), ['PATCH /connections/ID']);
    const database = JSON.parse(read(`database-connections/${NAME}/database.json`));
    const { options, strategy } = management.connection(NAME);
    const wanted = {
      ...database.options,
      configuration: CONFIGURATION,
      customScripts: {
        get_user: read(`database-connections/${NAME}/get_user.js`), login: read(`database-connections/${NAME}/login.js`),
      },
    };
    assert.equal(strategy, 'auth0');
    // The tool's schema adds its own default.
    assert.deepEqual({ ...options, disable_self_service_change_password: undefined }, { ...wanted, disable_self_service_change_password: undefined });
    assert.equal(management.tenant.actions.length, ORDER.length);
    for (const name of ORDER) {
      const { code: text, deployed, runtime, supported_triggers } = management.action(name);
      assert.equal(text, read(`actions/${name}/code.js`));
      assert.deepEqual([deployed, runtime, supported_triggers[0].id], [true, 'node22', 'post-login']);
    }
    assert.deepEqual(arrived(runs.whole)[3].secrets, { ...VALUES, IDBRIDGE_MANAGEMENT_SECRET: ODD });
  });

  test('binds our Actions in order and unbinds what the file does not name, as the READMEs say', () => {
    assert.deepEqual(runs.whole.management.tenant.bindings.map(({ action }) => action.name), ORDER);
    assert.match(read(`actions/${ORDER[0]}/README.md`), /is unbound/);
  });

  test('quotes, backslashes, newlines and dollars in a value arrive as they are', () => {
    const { management, code, printed } = runs.missing;
    assert.equal(code, 0, printed);
    assert.deepEqual(management.connection(NAME).options.configuration, { IDBRIDGE_KEY: ODD });
    assert.equal(arrived(runs.missing)[0].secrets.IDBRIDGE_KEY, ODD);
  });

  test('no word of a script or an Action is taken for a keyword', () => {
    for (const { code } of arrived(runs.whole)) assert.ok(!code.includes('broken'));
    assert.ok(!Object.values(runs.whole.management.connection(NAME).options.customScripts).join().includes('broken'));
  });

  test('a value that has a mark itself is replaced once more: the files break, the import says so and changes nothing', () => {
    const { management, code, printed } = runs.marked;
    assert.notEqual(code, 0);
    assert.match(printed, /Error parsing JSON/);
    assert.deepEqual(management.changes(), []);
  });

  test('## instead of @@ is skipped without an error, and with AUTH0_ALLOW_DELETE the connection is deleted with its users', () => {
    const { management, code, printed } = runs.hashes;
    assert.equal(code, 0);
    assert.match(printed, /Skipping database folder/);
    assert.deepEqual(management.changes(), ['DELETE /connections/ID']);
    assert.ok(!read(`database-connections/${NAME}/database.json`).includes('##'));
  });
});

describe('what arrived runs', () => {
  test('scripts: ada comes in, sue does not, nobody may sign up over bob', async () => {
    const tenant = newTenant(runs.whole);
    assert.ok((await tenant.logIn(PEOPLE.ada.login, PEOPLE.ada.password)).ok);
    assert.equal((await tenant.logIn(PEOPLE.sue.login, PEOPLE.sue.password)).ok, false);
    assert.equal((await tenant.requestPasswordReset(PEOPLE.sue.email)).ticket, null);
    assert.deepEqual(tenant.faults, []);

    const [user] = tenant.users;
    const outcome = await postLogin(sandbox, arrived(runs.whole), loginEvent(user));
    assert.deepEqual([outcome.denied, outcome.multifactor, outcome.ran], [null, null, 4]);
    assert.deepEqual(outcome.app_metadata, user.app_metadata);
  });

  test('without a value: scripts and Actions refuse everybody, and nothing reaches the org', async () => {
    const before = await chain.received();
    const tenant = newTenant(runs.missing);
    assert.equal((await tenant.logIn(PEOPLE.ada.login, PEOPLE.ada.password)).ok, false);
    assert.match(tenant.logs[0].description, /not configured/);
    const user = { user_id: 'auth0|okta|1', email: PEOPLE.ada.email };
    const actions = arrived(runs.missing);
    // The tool drops unresolved marks from options, and leaves them in secrets.
    for (const value of actions.flatMap(({ secrets }) => Object.values(secrets))) {
      if (value !== ODD) assert.match(value, /^@@[A-Z_]+@@$/);
    }
    const outcome = await postLogin(sandbox, actions, loginEvent(user));
    assert.deepEqual([typeof outcome.denied, outcome.ran], ['string', 1]);
    const empty = actions.map(({ code }) => ({ code, secrets: {} }));
    assert.equal(typeof (await postLogin(sandbox, empty, loginEvent(user))).denied, 'string');
    assert.deepEqual(await chain.received(), before);
  });
});

describe('the Actions', () => {
  const facts = { second_factor: false, password_expired: false, groups: [], source: 'okta', source_id: '1', login: 'a@b.c' };
  const user = (more = {}, root = {}) => ({
    user_id: 'auth0|okta|1', email: 'a@b.c', app_metadata: { idbridge: { ...facts, ...more } }, ...root,
  });
  const run = (who, { routes, ...event } = {}) => postLogin(sandbox, arrived(runs.whole), loginEvent(who, event), { routes });
  const REFUSED = /cannot be used here/;
  const LATER = /try again later/;

  async function ada() {
    const tenant = newTenant(runs.whole);
    return (await tenant.logIn(PEOPLE.ada.login, PEOPLE.ada.password)).user;
  }

  test('lost metadata is fetched again, and is what the log-in would have brought', async () => {
    const { app_metadata, ...lost } = await ada();
    const outcome = await run(lost);
    assert.deepEqual([outcome.denied, outcome.ran], [null, 4]);
    assert.deepEqual(outcome.app_metadata, app_metadata);
    for (const half of [{}, { second_factor: true }, { second_factor: 1, password_expired: 0 }]) {
      assert.deepEqual((await run({ ...lost, app_metadata: { idbridge: half } })).app_metadata, app_metadata);
    }
  });

  test('lost metadata of who may not come, is another, or is nobody: denied', async () => {
    const { user_id } = await ada();
    for (const email of [PEOPLE.sue.email, PEOPLE.bob.email, NOBODY]) {
      const outcome = await run({ user_id, email });
      assert.match(outcome.denied, REFUSED, email);
      assert.deepEqual([outcome.ran, outcome.app_metadata], [1, {}]);
    }
  });

  for (const fault of ['reset', 'html', 'truncated', 'hang', 'status:503']) {
    test(`lost metadata while the org is down (${fault}): denied, and nothing is stored`, async () => {
      const { user_id, email } = await ada();
      await chain.fault('any', fault);
      const outcome = await run({ user_id, email });
      assert.match(outcome.denied, LATER);
      assert.deepEqual(outcome.app_metadata, {});
    });
  }

  test('a second factor is demanded, once a session, and never of a refresh token', async () => {
    const who = user({ second_factor: true });
    assert.deepEqual((await run(who)).multifactor, ['any', { allowRememberBrowser: false }]);
    assert.equal((await run(who, { methods: [{ name: 'pwd' }, { name: 'mfa' }] })).multifactor, null);
    assert.equal((await run(who, { protocol: 'oauth2-refresh-token' })).multifactor, null);
    assert.equal((await run(user())).multifactor, null);
  });

  test('each security Action by itself denies whom it knows nothing of', async () => {
    const [, expired, second] = arrived(runs.whole);
    for (const action of [expired, second]) {
      for (const app_metadata of [undefined, {}, { idbridge: null }, { idbridge: { second_factor: false } }]) {
        const outcome = await postLogin(sandbox, [action], loginEvent({ user_id: 'auth0|okta|1', email: 'a@b.c', app_metadata }));
        assert.match(outcome.denied, LATER);
      }
    }
  });

  test('a method that Auth0 does not document is none', async () => {
    const code = "exports.onExecutePostLogin = async (event, api) => api.user.setRoles(['a']);";
    await assert.rejects(postLogin(sandbox, [{ code, secrets: {} }], loginEvent(user())), /setRoles is not a function/);
  });

  test('people who are none of ours pass untouched', async () => {
    const nothing = { denied: null, multifactor: null, ran: 4, console: [], app_metadata: {} };
    assert.deepEqual(await run({ user_id: 'auth0|66f1c0ffee', email: 'new@b.c' }), nothing);
    assert.deepEqual(await run({ user_id: 'auth0|okta|1', email: 'a@b.c' }, { connection: 'another' }), nothing);
    const without = { ...loginEvent({ user_id: 'auth0|okta|1', email: 'a@b.c' }, { connection: 'another' }), connection: undefined };
    assert.deepEqual(await postLogin(sandbox, arrived(runs.whole), without), nothing);
  });

  test('an expired password: mail, denied; after the reset: in, and the flag is gone', async () => {
    const auth0 = await startDouble((_request, response) => response.writeHead(200).end("We've sent an email"));
    const routes = { 'https://tenant.test': auth0.url };
    const outcome = await run(user({ password_expired: true, second_factor: true }), { routes });
    assert.match(outcome.denied, /sent you an email/);
    assert.equal(outcome.app_metadata.idbridge.password_expired, true);
    assert.deepEqual(auth0.asked.map(({ path, body }) => [path, JSON.parse(body)]), [
      ['/dbconnections/change_password', { client_id: 'client_1', connection: NAME, email: 'a@b.c' }],
    ]);

    const reset = user({ password_expired: true, second_factor: true }, { last_password_reset: '2026-02-01T00:00:00.000Z' });
    const later = await run(reset, { routes });
    assert.equal(later.denied, null);
    assert.deepEqual(later.app_metadata.idbridge, { ...facts, second_factor: true });
    assert.deepEqual(later.multifactor, ['any', { allowRememberBrowser: false }], 'the second factor stays due');
    assert.equal(auth0.asked.length, 1);
    await auth0.close();
  });

  test('an expired password, and no mail: denied all the same', async () => {
    const auth0 = await startDouble((_request, response) => response.writeHead(429).end());
    const outcome = await run(user({ password_expired: true }), { routes: { 'https://tenant.test': auth0.url } });
    assert.match(outcome.denied, /Forgot password/);
    const asked = auth0.asked.length;
    const refresh = await run(user({ password_expired: true }), { protocol: 'oauth2-refresh-token' });
    assert.match(refresh.denied, /Forgot password/);
    assert.equal(auth0.asked.length, asked, 'no mail for a program');
    await auth0.close();
  });

  test('groups become roles, each once; a failure costs roles, not the log-in', async () => {
    let status = 500;
    const auth0 = await startDouble((request, response) => {
      response.writeHead(request.url === '/oauth/token' ? 200 : status);
      response.end(JSON.stringify({ access_token: 'token', expires_in: 600 }));
    });
    const routes = { 'https://tenant.test': auth0.url };
    const who = user({ groups: ['Engineering', 'Everyone', 'toString', '__proto__'] });
    const failed = await run(who, { routes });
    assert.deepEqual([failed.denied, failed.app_metadata.idbridge_roles, failed.console.length], [null, undefined, 1]);
    assert.ok(!JSON.stringify(failed.console).includes('a@b.c'));
    status = 204;
    const given = await run(who, { routes });
    assert.deepEqual(given.app_metadata.idbridge_roles, ['rol_1']);
    const { path, body, headers } = auth0.asked.at(-1);
    assert.deepEqual([path, body, headers.authorization], ['/api/v2/users/auth0%7Cokta%7C1/roles', '{"roles":["rol_1"]}', 'Bearer token']);
    assert.equal(auth0.asked.filter(({ path }) => path === '/oauth/token').length, 1, 'the token is kept');
    const asked = auth0.asked.length;
    assert.equal((await run({ ...who, app_metadata: given.app_metadata }, { routes })).denied, null);
    assert.equal(auth0.asked.length, asked, 'a role that was given is not given again');
    await auth0.close();
  });
});

describe("Terraform's file", () => {
  // Auth0's provider 1.55, "auth0_connection" and "auth0_connection_clients"
  const OPTIONS = [
    'brute_force_protection', 'configuration', 'custom_scripts', 'disable_signup', 'enable_script_context',
    'enabled_database_customization', 'import_mode', 'requires_username', 'strategy_version',
  ];

  test('parses, uses documented attributes only, and says what database.json says', async () => {
    const { resource, variable } = await parse('main.tf', read('terraform/main.tf'));
    const [connection] = resource.auth0_connection.idbridge;
    const [clients] = resource.auth0_connection_clients.idbridge;
    assert.deepEqual(Object.keys(resource).sort(), ['auth0_connection', 'auth0_connection_clients']);
    assert.deepEqual(Object.keys(connection).sort(), ['name', 'options', 'strategy']);
    assert.deepEqual(Object.keys(clients).sort(), ['connection_id', 'enabled_clients']);
    const [options] = connection.options;
    assert.deepEqual(Object.keys(options).sort(), OPTIONS);
    const { options: wanted, strategy } = JSON.parse(read(`database-connections/${NAME}/database.json`));
    assert.equal(connection.strategy, strategy);
    for (const [here, there] of Object.entries({ enabled_database_customization: 'enabledDatabaseCustomization' })) {
      assert.equal(options[here], wanted[there]);
    }
    for (const same of ['brute_force_protection', 'disable_signup', 'import_mode', 'requires_username', 'strategy_version']) {
      assert.equal(options[same], wanted[same], same);
    }
    assert.deepEqual(Object.keys(options.configuration), Object.keys(wanted.configuration));
    for (const [script, path] of Object.entries(wanted.customScripts)) {
      const file = `\${path.module}/../database-connections/\${var.connection}/${path.replace('./', '')}`;
      assert.equal(options.custom_scripts[script], `\${file("${file}")}`);
    }
    assert.equal(variable.idbridge_key[0].sensitive, true);
  });

  test('the documents say that it was not applied', () => assert.match(read('terraform/README.md'), /never applied/));
});
