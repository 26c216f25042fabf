// What the owner of a migration decides with settings, against the real gateway, broker and simulated Okta org: who may move
// now, who never again, and with which passwords. Each test restarts what it sets, and sets it back.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, test } from 'node:test';
import { chain, CONFIGURATION } from './chain.mjs';
import { NOBODY, ORG_PREFIX, PEOPLE } from './people.mjs';
import { Sandbox } from './sandbox/sandbox.mjs';
import { DATABASE_JSON, SCRIPTS } from './scripts.mjs';
import { GENERIC, Tenant, WRONG } from './tenant/tenant.mjs';

const { ada, bob } = PEOPLE;
const folder = mkdtempSync(join(tmpdir(), 'idbridge-gate-'));
const sandbox = new Sandbox();
after(() => {
  sandbox.close();
  rmSync(folder, { recursive: true });
});

function newTenant() {
  const database = JSON.parse(DATABASE_JSON);
  database.options.disable_signup = false;
  return new Tenant({ scripts: SCRIPTS, database, configuration: CONFIGURATION, sandbox });
}

/** A tenant to which ada has moved. */
async function movedTenant() {
  const tenant = newTenant();
  const { ok, user } = await tenant.logIn(ada.login, ada.password);
  assert.ok(ok);
  return { tenant, user };
}

async function submissionsOf(work) {
  const before = await chain.received();
  await work();
  return (await chain.received()).submissions - before.submissions;
}

async function reset(tenant, email, password) {
  const { ticket } = await tenant.requestPasswordReset(email);
  if (ticket) await tenant.confirmPasswordReset(ticket, password);
  return ticket !== null;
}

const textOf = (reason) => SCRIPTS.login.match(new RegExp(`${reason}: '(.*)'`))[1];

describe('mode', () => {
  afterEach(() => chain.restartBroker());

  test('off: who has moved comes in, nobody else does, and nobody is absent', async () => {
    const { tenant } = await movedTenant();
    await chain.restartBroker({ IDBRIDGE_SOURCES__OKTA__MODE: 'off' });
    const submissions = await submissionsOf(async () => {
      assert.ok((await tenant.logIn(ada.login, ada.password)).ok);
      assert.deepEqual(await tenant.logIn(bob.login, bob.password), { ok: false, shown: GENERIC });
      for (const address of [bob.email, NOBODY]) {
        assert.deepEqual(await tenant.signUp(address, "stranger's own"), { ok: false, shown: GENERIC });
        assert.equal(await reset(tenant, address, 'chosen anew'), false);
      }
    });
    assert.deepEqual([submissions, tenant.users.length, tenant.faults], [0, 1, []]);
  });

  test('lookup_only: no password goes out; a reset brings bob in, and nobody signs up over him', async () => {
    const tenant = newTenant();
    await chain.restartBroker({ IDBRIDGE_SOURCES__OKTA__MODE: 'lookup_only' });
    const submissions = await submissionsOf(async () => {
      assert.deepEqual(await tenant.logIn(bob.login, bob.password), { ok: false, shown: GENERIC });
      assert.equal((await tenant.signUp(bob.email, "stranger's own")).ok, false);
      assert.ok(await reset(tenant, bob.email, 'chosen anew'));
      assert.ok((await tenant.logIn(bob.login, 'chosen anew')).ok);
    });
    assert.equal(submissions, 0);
    assert.ok(tenant.users[0].user_id.startsWith(`auth0|${ORG_PREFIX}|`));
    assert.deepEqual(tenant.faults, []);
  });
});

describe('a tombstone', () => {
  afterEach(() => chain.restartBroker());

  test('by the id in the profile: ada, deleted at Auth0, comes back by no way, and bob still moves', async () => {
    const { tenant, user } = await movedTenant();
    const path = join(folder, 'gone');
    writeFileSync(path, `${user.app_metadata.idbridge.source_id} # deleted at Auth0\n`);
    await chain.restartBroker({ IDBRIDGE_SOURCES__OKTA__TOMBSTONES_FILE: path });
    tenant.deleteUser(user.user_id);
    assert.deepEqual(await tenant.logIn(ada.login, ada.password), { ok: false, shown: WRONG });
    assert.deepEqual(await tenant.logIn(ada.login.toUpperCase(), ada.password), { ok: false, shown: WRONG });
    assert.equal(tenant.logs.at(-1).type, 'fu');
    assert.equal(await reset(tenant, ada.email, 'chosen anew'), false);
    assert.deepEqual([tenant.users, tenant.partialUsers], [[], []]);
    assert.ok((await tenant.logIn(bob.login, bob.password)).ok);
    assert.deepEqual(tenant.faults, []);
  });
});

describe("the connection's rules for passwords", () => {
  afterEach(() => chain.restartGateway());

  test('a right password that does not fit is told to be reset, a wrong one only that it is wrong, and the reset works', async () => {
    await chain.restartGateway({ IDBRIDGE_REST__AUTH0__PASSWORD__MIN_LENGTH: '30' });
    const tenant = newTenant();
    const text = textOf('password_not_accepted_by_target');
    assert.deepEqual(await tenant.logIn(bob.login, bob.password), { ok: false, shown: text });
    assert.deepEqual(await tenant.logIn(bob.login, 'short'), { ok: false, shown: WRONG });
    assert.deepEqual(await tenant.logIn(bob.login, 'long enough, and not the right one'), { ok: false, shown: WRONG });
    assert.deepEqual(tenant.users, []);
    const long = 'chosen anew, and long enough for the rules';
    assert.ok(await reset(tenant, bob.email, long));
    assert.ok((await tenant.logIn(bob.login, long)).ok);
    assert.deepEqual(tenant.faults, []);
  });
});
