// `idbridge doctor --auth0`, run before what auth0-deploy-cli as published deployed to the double of the Management API: as it is,
// with one thing wrong at a time, and with what can't be read.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { deploy, VALUES } from './management/deploy.mjs';
import { ALL_SCOPES, OPTIONS_SCOPE, startManagement } from './management/double.mjs';

const { IDBRIDGE } = process.env;
assert.ok(IDBRIDGE, 'IDBRIDGE is not set: the path of the binary');
const NAME = 'legacy-users';
const TOKEN = 'hunter2-management-token';
const KEY = 'hunter2-callers-key';
const CHECKS = [
  'settings', 'connection', 'import mode', 'configuration', 'script login', 'script get_user', 'other scripts', 'sign-up', 'password policy',
  'identifiers', 'applications', 'Action metadata', 'Action password-expired', 'Action second-factor', 'Action roles', 'order of Actions',
  'pre-user-registration', 'scopes of the Action roles', 'brute force', 'second factors', 'Node',
];

const folder = mkdtempSync(join(tmpdir(), 'idbridge-doctor-'));
let management;
let deployed;
before(async () => {
  execFileSync(IDBRIDGE, ['auth0', 'export', '--out', join(folder, 'tenant'), '--connection', NAME]);
  management = await startManagement();
  const values = { ...VALUES, IDBRIDGE_KEY: KEY, IDBRIDGE_URL: 'https://idbridge.test' };
  const { code, printed } = await deploy(join(folder, 'tenant'), management, values);
  assert.equal(code, 0, printed);
  // What the export leaves to the owner, and what stands in a tenant beside.
  management.connection(NAME).options.passwordPolicy = 'none';
  management.tenant.clients = [{ client_id: 'app' }];
  management.tenant.connections.unshift({ id: 'con_9', name: 'others', strategy: 'auth0', options: { import_mode: false } });
  management.tenant.actions.unshift(...Array.from({ length: 60 }, (_, at) => ({ id: `act_o${at}`, name: `other-${at}`, code: '' })));
  deployed = structuredClone(management.tenant);
}, { timeout: 120_000 });
beforeEach(() => {
  Object.assign(management.tenant, structuredClone(deployed));
  management.access = { token: TOKEN, scopes: ALL_SCOPES };
  management.fault = undefined;
  management.asked.length = 0;
});
after(() => {
  management.close();
  rmSync(folder, { recursive: true });
});

const SETTINGS = `
[rest]
listen = "127.0.0.1:0"
[callers.auth0]
key_sha256 = "${'0'.repeat(64)}"
allow = ["authenticate", "get_user_by_email"]
[sources.memory]
kind = "memory"
`;

/** Runs it. Whatever it printed shows neither token nor key, and it only ever read. */
async function doctor({ settings = SETTINGS, more = ['--json'], env = {}, input } = {}) {
  const config = join(folder, 'idbridge.toml');
  writeFileSync(config, settings);
  const { domain, certificateFile } = management;
  const args = ['doctor', '--config', config, '--auth0', '--domain', domain, ...more];
  const ran = await new Promise((resolve) => {
    const child = execFile(IDBRIDGE, args, {
      env: { SSL_CERT_FILE: certificateFile, AUTH0_MANAGEMENT_TOKEN: TOKEN, RUST_LOG: 'trace', ...env }, timeout: 60_000,
    }, (error, out, err) => resolve({ code: error ? error.code : 0, out, err }));
    child.stdin.on('error', () => {}); // gone before it read
    child.stdin.end(input);
  });
  for (const secret of ['hunter2', VALUES.IDBRIDGE_MANAGEMENT_SECRET]) assert.ok(!(ran.out + ran.err).includes(secret), ran.out + ran.err);
  assert.ok(management.asked.every(({ method }) => method === 'GET'));
  return ran;
}

async function examined(options) {
  const { code, out, err } = await doctor(options);
  assert.equal(err, '');
  const { ok, findings } = JSON.parse(out);
  assert.equal(ok, code === 0);
  return { code, findings, of: (check) => findings.find((finding) => finding.check === check), say: (result) => findings.filter((one) => one.result === result).map(({ check }) => check) };
}

describe('what was deployed', () => {
  test('is fine in everything that can be read', async () => {
    const { code, findings, say } = await examined();
    assert.deepEqual(findings.map(({ check }) => check), CHECKS);
    assert.deepEqual(say('not_checked'), ['scopes of the Action roles']);
    assert.equal(say('fine').length, CHECKS.length - 1, JSON.stringify(findings, null, 1));
    assert.equal(code, 0);
  });

  test('is told in one line each', async () => {
    const { code, out } = await doctor({ more: [] });
    const lines = out.trimEnd().split('\n');
    assert.equal(code, 0);
    assert.deepEqual(lines.map((line) => line.split(': ')[1]), CHECKS);
    for (const line of lines) assert.match(line, /^auth0: [^:]+: (fine|not checked); ./);
  });

  test('is found by name, and the token may come from standard input', async () => {
    const more = ['--json', '--connection', NAME, '--token-stdin'];
    const { code } = await examined({ more, env: { AUTH0_MANAGEMENT_TOKEN: '' }, input: `${TOKEN}\n` });
    assert.equal(code, 0);
  });
});

const options = (change) => (tenant) => change(tenant.connections.find(({ name }) => name === NAME).options);
const action = (name, change) => (tenant) => change(tenant.actions.find((one) => one.name === `idbridge-${NAME}-${name}`));
const bind = (...names) => (tenant) => { tenant.bindings = names.map((name) => tenant.bindings.find((one) => one.action.name.endsWith(name))); };
const ORDER = ['metadata', 'password-expired', 'second-factor', 'roles'];
const beforeSignUp = (code) => (tenant) => {
  tenant.actions.push({ id: 'act_p', name: 'ids', all_changes_deployed: true, deployed_version: code && { code, runtime: 'node22' } });
  tenant.beforeSignUp = [{ action: { id: 'act_p', name: 'ids' } }];
};

/** One thing wrong: which check says so (and which others follow), in which words. */
const WRONG = [
  ['scripts are off', options((all) => { all.enabledDatabaseCustomization = false; }), ['import mode'], /enabledDatabaseCustomization/],
  ['import mode is off', options((all) => { all.import_mode = false; }), ['import mode'], /leave it on/],
  ['import mode is missing', options((all) => { delete all.import_mode; }), ['import mode'], /Turn import_mode on/],
  ['the old strategy version', options((all) => { all.strategy_version = 1; }), ['import mode'], /strategy_version/],
  ['a key is missing', options((all) => { delete all.configuration.IDBRIDGE_KEY; }), ['configuration'], /IDBRIDGE_KEY missing/],
  ['a key is null', options((all) => { all.configuration.IDBRIDGE_URL = null; }), ['configuration'], /IDBRIDGE_URL missing/],
  ['login was edited', options((all) => { all.customScripts.login += '\n// hunter2'; }), ['script login'], /SHA-256/],
  ['get_user was edited', options((all) => { all.customScripts.get_user = 'function x() {}'; }), ['script get_user'], /SHA-256/],
  ['get_user is missing', options((all) => { delete all.customScripts.get_user; }), ['script get_user'], /isn't there/],
  ['a script of others', options((all) => { all.customScripts.create = 'function create() {}'; }), ['other scripts'], /import mode needs none/],
  ['sign-up is on', options((all) => { all.disable_signup = false; }), ['sign-up'], /disable_signup/],
  ['sign-up is not said to be off', options((all) => { delete all.disable_signup; }), ['sign-up'], /disable_signup/],
  ['a password policy beyond the settings', options((all) => { all.passwordPolicy = 'good'; }), ['password policy'], /min_length = 8/],
  ['no password policy', options((all) => { delete all.passwordPolicy; }), ['password policy'], /passwordPolicy/],
  ['a password history', options((all) => { all.password_history = { enable: true, size: 5 }; }), ['password policy'], /a history/],
  ['user names that profiles lack', options((all) => { all.requires_username = true; }), ['identifiers'], /send_username/],
  ['user names by attributes', options((all) => { all.attributes = { username: { identifier: { active: true } } }; }), ['identifiers'], /send_username/],
  ['phone numbers', options((all) => { all.attributes = { phone_number: { identifier: { active: true } } }; }), ['identifiers'], /phone/],
  ['no address', options((all) => { all.attributes = { email: { identifier: { active: false } } }; }), ['identifiers'], /no identifier/],
  ['no application', (tenant) => { tenant.clients = []; }, ['applications'], /enable it/],
  ['an Action is missing', (tenant) => { tenant.actions = tenant.actions.filter(({ name }) => !name.endsWith('roles')); }, ['Action roles'], /isn't there/],
  ['an Action was edited', action('second-factor', (one) => { one.deployed_version.code += ' '.repeat(3) + 'x'; }), ['Action second-factor'], /SHA-256/],
  ['an Action was never deployed', action('metadata', (one) => { delete one.deployed_version; one.all_changes_deployed = false; }), ['Action metadata'], /never deployed/],
  ['a change of an Action waits', action('metadata', (one) => { one.all_changes_deployed = false; }), ['Action metadata'], /waits/],
  ['an Action lacks a secret', action('metadata', (one) => { one.secrets.pop(); }), ['Action metadata'], /no secret IDBRIDGE_URL/],
  ['an Action on old Node', action('roles', (one) => { one.deployed_version.runtime = 'node18'; }), ['Action roles'], /Node 18/],
  ['an Action is not bound', bind('metadata', 'password-expired', 'second-factor'), ['Action roles', 'order of Actions'], /bind it/],
  ['Actions in another order', bind('roles', 'metadata', 'password-expired', 'second-factor'), ['order of Actions'], /metadata, password-expired/],
  ['an Action that sets ids', beforeSignUp('exports.x = (event, api) => api.user.setUserId("1")'), ['pre-user-registration'], /setUserId/],
  ['brute force: the tenant is off', (tenant) => { tenant.bruteForce.enabled = false; }, ['brute force'], /tenant doesn't block/],
  ['brute force: no shield', (tenant) => { tenant.bruteForce.shields = ['user_notification']; }, ['brute force'], /shield/],
  ['brute force: the connection is off', options((all) => { all.brute_force_protection = false; }), ['brute force'], /connection's/],
  ['no second factor', (tenant) => { tenant.factors.forEach((one) => { one.enabled = one.name === 'recovery-code'; }); }, ['second factors'], /turn one on/],
  ['old Node', (tenant) => { tenant.settings.sandbox_version = '16'; }, ['Node'], /Node 16/],
];

test('the documents and the help say what is looked at, and with which scopes', () => {
  const document = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8');
  const [, section] = document.split('**`doctor --auth0`**');
  const rows = section.split('\n\n').find((part) => part.startsWith('| check |')).split('\n').slice(2);
  const named = rows.flatMap((row) => row.split(' | ')[0].replace('| ', '').split(', '));
  assert.deepEqual(named.toSorted(), [...new Set(CHECKS.map((check) => check.replace(/^(Action|script) .*/, '$1 …')))].toSorted());
  const help = execFileSync(IDBRIDGE, ['doctor', '--help'], { encoding: 'utf8' });
  for (const scope of ALL_SCOPES) {
    assert.ok(section.includes(`\`${scope}\``), scope);
    assert.ok(help.includes(scope), scope);
  }
});

describe('one thing wrong', () => {
  for (const [what, change, checks, words] of WRONG) {
    test(what, async () => {
      change(management.tenant);
      const { code, of, say } = await examined();
      assert.deepEqual(say('to_do'), checks);
      assert.match(of(checks[0]).text, words);
      assert.deepEqual(say('unknown'), []);
      assert.equal(code, 1);
    });
  }

  test('no gateway, and no caller for the scripts', async () => {
    for (const settings of [SETTINGS.replace('[rest]\nlisten = "127.0.0.1:0"', ''), SETTINGS.replace('"authenticate", ', '')]) {
      const { code, say } = await examined({ settings });
      assert.deepEqual([say('to_do'), code], [['settings'], 1]);
    }
  });

  test('the connection is missing', async () => {
    for (const more of [['--json', '--connection', 'nobody'], ['--json']]) {
      management.tenant.connections = management.tenant.connections.filter(({ name }) => name !== NAME);
      const { code, say } = await examined({ more });
      assert.deepEqual([say('to_do'), code], [['connection'], 1]);
    }
  });
});

test('user names of other lengths than the settings know, and user names that only the settings know', async () => {
  for (const change of [options((all) => { all.requires_username = true; }), () => {}]) {
    Object.assign(management.tenant, structuredClone(deployed));
    change(management.tenant);
    const { code, say } = await examined({ settings: `${SETTINGS}\n[rest.auth0]\nsend_username = true\n` });
    assert.deepEqual([say('to_do'), code], [['identifiers'], 1]);
  }
});

test('what is right in more than one way', async () => {
  const right = [
    [options((all) => { all.requires_username = true; }), 'send_username = true\nusername = { min = 1, max = 15 }'],
    [options((all) => { all.requires_username = true; all.validation = { username: { min: 3, max: 40 } }; }), 'send_username = true\nusername = { min = 3, max = 40 }'],
    [options((all) => { all.passwordPolicy = 'good'; }), 'password = { min_length = 8, character_types = ["lowercase", "number", "special", "uppercase"], character_type_rule = "three_of_four" }'],
    [options((all) => { all.customScripts.login = all.customScripts.login.replaceAll('\n', '\r\n'); }), ''],
    [bind('metadata', 'password-expired', 'second-factor', 'roles'), ''],
    [beforeSignUp('exports.x = () => {}'), ''],
  ];
  for (const [change, auth0] of right) {
    Object.assign(management.tenant, structuredClone(deployed));
    change(management.tenant);
    const { code, findings } = await examined({ settings: `${SETTINGS}\n[rest.auth0]\n${auth0}\n` });
    assert.equal(code, 0, JSON.stringify(findings.filter(({ result }) => result !== 'fine')));
  }
});

describe("what can't be read is never fine", () => {
  const blind = {
    'read:connections': ['connection'],
    [OPTIONS_SCOPE]: ['connection'],
    'read:actions': [...ORDER.map((name) => `Action ${name}`), 'order of Actions', 'pre-user-registration'],
    'read:attack_protection': ['brute force'],
    'read:guardian_factors': ['second factors'],
    'read:tenant_settings': ['Node'],
  };
  for (const [scope, checks] of Object.entries(blind)) {
    test(`without ${scope}`, async () => {
      management.access.scopes = ALL_SCOPES.filter((one) => one !== scope);
      const { code, of, say } = await examined();
      assert.deepEqual([say('unknown'), say('to_do'), code], [checks, [], 3]);
      assert.match(of(checks[0]).text, new RegExp(`${scope}$`));
    });
  }

  test('options that are left out without a word', async () => {
    management.access.scopes = ALL_SCOPES.filter((one) => one !== OPTIONS_SCOPE);
    const { say } = await examined({ more: ['--json', '--connection', NAME] });
    assert.ok(say('unknown').includes('options') && !say('fine').includes('brute force'));
  });

  test('a code that is not shown', async () => {
    beforeSignUp(undefined)(management.tenant);
    delete management.tenant.actions.at(-1).all_changes_deployed;
    const { code, say } = await examined();
    assert.deepEqual([say('unknown'), code], [['pre-user-registration'], 3]);
  });

  const html = { 'content-type': 'text/html' };
  const json = { 'content-type': 'application/json' };
  for (const [what, fault, words] of [
    ['a refused token', [401, json, '{"message":"hunter2"}'], /refuses the token/],
    ['patience', [429, json, '{}'], /rate limit/],
    ['an outage', [503, json, '{"message":"hunter2"}'], /HTTP 503/],
    ["a proxy's page", [200, html, '<html>'], /not called application\/json/],
    ['half an answer', [200, json, '{"connections": ['], /no JSON/],
    ['another shape', [200, json, '{"connections": {}}'], /no list of connections/],
    ['a redirect', [302, { location: 'https://example.com/' }, ''], /HTTP 302/],
  ]) {
    test(what, async () => {
      management.fault = fault;
      const { code, of, say } = await examined();
      const fine = say('fine');
      assert.deepEqual([fine.filter((check) => check !== 'settings'), code], [[], 3], JSON.stringify(say('fine')));
      assert.match(of('connection').text, words);
    });
  }

  test('a server that nobody vouches for', async () => {
    const { code, out, err } = await doctor({ env: { SSL_CERT_FILE: '/dev/null' } });
    assert.ok(code === 2 || code === 3, out + err);
    assert.equal(management.asked.length, 0);
  });

  test('two connections that may be meant', async () => {
    management.tenant.connections.push({ ...structuredClone(management.connection(NAME)), id: 'con_8', name: 'second' });
    const { code, of } = await examined();
    assert.deepEqual([of('connection').result, code], ['unknown', 3]);
    assert.match(of('connection').text, /--connection/);
  });
});
