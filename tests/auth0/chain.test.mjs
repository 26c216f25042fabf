// The scripts against the real gateway, broker and simulated Okta org.
//
// Needs IDBRIDGE_URL, IDBRIDGE_KEY and OKTA_CONTROL_URL (see chain.mjs), and fails without them. The chain must be fresh:
// the simulated org locks people out after some wrong passwords. Tests run in order, the destructive ones last.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { chain, CONFIGURATION } from './chain.mjs';
import { startDouble } from './double.mjs';
import { NOBODY, ORG_PREFIX, PEOPLE, SHARED_ADDRESS } from './people.mjs';
import { Sandbox } from './sandbox/sandbox.mjs';
import { argumentsOf, DATABASE_JSON, SCRIPTS } from './scripts.mjs';
import { importable } from './tenant/profile.mjs';
import { GENERIC, Tenant } from './tenant/tenant.mjs';

const { ada, bob, carol, mfa, odd, sue } = PEOPLE;
const PROFILE_FIELDS = [
  'app_metadata', 'email', 'email_verified', 'family_name', 'given_name', 'name', 'nickname', 'phone_number', 'picture', 'user_id',
];

const sandbox = new Sandbox();
after(() => sandbox.close());
afterEach(() => chain.clear());

async function run(script, identifier, password, { configuration = CONFIGURATION, ...more } = {}) {
  const args = argumentsOf(script, identifier, password);
  const report = await sandbox.run({ source: SCRIPTS[script], args, configuration, ...more });
  assert.deepEqual(report.faults, []);
  assert.equal(report.calls.length, 1);
  const told = JSON.stringify([report.calls, report.console]);
  assert.ok(!told.includes(CONFIGURATION.IDBRIDGE_KEY), 'the key stays inside');
  if (password?.length > 3) assert.ok(!told.includes(password), 'the password stays inside');
  return report;
}
const logIn = (identifier, password, more) => run('login', identifier, password, more);
const getUser = (identifier, more) => run('get_user', identifier, undefined, more);

function assertProfile({ error, result }, { email }) {
  assert.equal(error, null, error?.message);
  assert.equal(result.email, email.toLowerCase());
  assert.ok(result.user_id.startsWith(`${ORG_PREFIX}|`) && result.user_id.length > ORG_PREFIX.length + 1);
  importable(result, { requiresUsername: false });
}

function assertWrong({ error }, userId) {
  assert.equal(error?.name, 'WrongUsernameOrPasswordError', JSON.stringify(error));
  assert.equal(error.user_id, userId);
}

function assertUnauthorized({ error }, reason) {
  assert.equal(error?.name, 'UnauthorizedError', JSON.stringify(error));
  assert.ok(SCRIPTS.login.includes(`${reason}: '${error.message}'`), `${reason}: ${error.message}`);
}

function assertFailed(report) {
  assert.equal(report.error?.name, 'Error', JSON.stringify([report.error, report.result]));
  assert.match(report.error.message, /request id [A-Za-z0-9._-]{1,64}\)$/);
}

function assertOutcome(report, outcome, person) {
  if (outcome === 'authenticated' || outcome === 'found') assertProfile(report, person);
  else if (outcome === 'invalid_credentials' || outcome === 'wrong_password') assertWrong(report, person.login);
  else assertUnauthorized(report, outcome);
}

/** What `work` made reach the org: passwords submitted. */
async function submissionsOf(work) {
  const before = await chain.received();
  await work();
  return (await chain.received()).submissions - before.submissions;
}

function newTenant(options = {}) {
  const database = JSON.parse(DATABASE_JSON);
  Object.assign(database.options, options);
  return new Tenant({ scripts: SCRIPTS, database, configuration: CONFIGURATION, sandbox });
}

describe('the table, as far as this chain can say it', () => {
  for (const [name, person] of Object.entries(PEOPLE)) {
    test(`login, ${name}: ${person.login_outcome} (defect 3: any 200 of Okta's is a yes)`, async () => {
      const submissions = await submissionsOf(async () => {
        assertOutcome(await logIn(person.login, person.password), person.login_outcome, person);
      });
      assert.equal(submissions, 1);
    });
    test(`get_user, ${name}: ${person.get_user_outcome} (defect 12: the status is ignored)`, async () => {
      assertOutcome(await getUser(person.email), person.get_user_outcome, person);
    });
  }

  test('login, a wrong password: wrong, with the identifier (defects 5 and 7)', async () => {
    assertWrong(await logIn(bob.login, 'not it'), bob.login);
  });

  test('login, nobody: wrong', async () => {
    assertWrong(await logIn(NOBODY, 'not it'), NOBODY);
  });

  test('get_user, nobody: null', async () => {
    const { error, result, calls } = await getUser(NOBODY);
    assert.deepEqual({ error, result, calls: calls.length }, { error: null, result: null, calls: 1 });
  });

  test('get_user, two users for one address: an error, never the first', async () => {
    assertFailed(await getUser(SHARED_ADDRESS));
  });

  test('login, an identifier that no user may have: wrong, and nothing reaches the org', async () => {
    const submissions = await submissionsOf(async () => {
      for (const identifier of ['', 'a\u0000b', 'a\nb', 'x'.repeat(5000)]) assertWrong(await logIn(identifier, 'pw'), null);
    });
    assert.equal(submissions, 0);
  });

  test('login, a password that no user may have: wrong, and nothing reaches the org', async () => {
    const submissions = await submissionsOf(async () => {
      for (const password of ['', 'a\u0000b', 'x'.repeat(1025)]) assertWrong(await logIn(bob.login, password), null);
    });
    assert.equal(submissions, 0);
  });

  test('get_user, no address: an error, never null (defect 13: the identifier in a path)', async () => {
    for (const identifier of ['', 'me', '.', '..', 'a/b', '%2e%2e', 'bob', '../../api', 'a\u0000b', 'x'.repeat(5000)]) {
      assertFailed(await getUser(identifier));
    }
  });

  test("login, a path for an identifier: the org's own answer (defect 13: the identifier in a path)", async () => {
    for (const identifier of ['me', '.', '..', 'a/b', '%2e%2e']) assertWrong(await logIn(identifier, 'pw'), identifier);
  });

  test('with a context, both scripts answer as without', async () => {
    const context = { organization: { id: 'org_1' } };
    assertProfile(await logIn(ada.login, ada.password, { context }), ada);
    assertProfile(await getUser(ada.email, { context }), ada);
  });
});

describe('the profile', () => {
  test('is the same from both scripts (defect 18: built separately)', async () => {
    for (const person of [ada, bob, odd]) {
      const fromLogin = await logIn(person.login, person.password);
      const fromLookUp = await getUser(person.email);
      assert.deepEqual(fromLogin.result, fromLookUp.result);
    }
  });

  test('is the same however the identifier is cased', async () => {
    const { result } = await getUser(ada.email);
    assert.deepEqual((await getUser(ada.email.toUpperCase())).result, result);
    assert.deepEqual((await logIn(ada.login.toUpperCase(), ada.password)).result, result);
  });

  test('has an address and no user name (defects 8 and 9: the login for both)', async () => {
    const { result } = await getUser(carol.email);
    assert.equal(result.email, carol.email);
    assert.ok(!('username' in result));
  });

  test('has the listed fields only, and nothing invented (defects 10, 11, 17 and 23)', async () => {
    for (const person of Object.values(PEOPLE).filter((person) => person.get_user_outcome === 'found')) {
      const { result } = await getUser(person.email);
      assert.deepEqual(Object.keys(result).filter((field) => !PROFILE_FIELDS.includes(field)), []);
      if ('email_verified' in result) assert.equal(typeof result.email_verified, 'boolean');
      for (const field of ['name', 'given_name', 'family_name', 'nickname']) {
        if (field in result) assert.doesNotMatch(result[field], /\b(null|undefined)\b|^\s|\s$|^$/);
      }
      assert.equal(`${ORG_PREFIX}|${result.app_metadata.idbridge.source_id}`, result.user_id);
      assert.deepEqual(Object.keys(result.app_metadata), ['idbridge']);
    }
  });
});

describe('stories', () => {
  test('ada signs in with her Okta password, is stored, and her second log-in does not reach Okta', async () => {
    const tenant = newTenant();
    const first = await submissionsOf(async () => {
      const { ok, user } = await tenant.logIn(ada.login, ada.password);
      assert.ok(ok);
      assert.ok(user.user_id.startsWith(`auth0|${ORG_PREFIX}|`));
    });
    assert.equal(first, 1);
    const second = await submissionsOf(async () => {
      assert.ok((await tenant.logIn(ada.login.toUpperCase(), ada.password)).ok);
      assert.equal((await tenant.logIn(ada.login, 'not it')).ok, false);
    });
    assert.equal(second, 0);
    assert.deepEqual(tenant.ran, ['login']);
    assert.deepEqual(tenant.logs.map(({ type }) => type), ['s', 's', 'fp']);
    assert.equal(tenant.users.length, 1);
    assert.deepEqual(tenant.faults, []);
  });

  for (const fault of ['reset', 'html', 'truncated', 'hang', 'status:500', 'status:503']) {
    test(`a stranger cannot sign up with bob's address while Okta is down: ${fault} (defects 6 and 21)`, async () => {
      const tenant = newTenant({ disable_signup: false });
      await chain.fault('any', fault);
      assert.deepEqual(await tenant.signUp(bob.email, "stranger's own"), { ok: false, shown: GENERIC });
      assert.equal((await tenant.requestPasswordReset(bob.email)).ticket, null);
      assert.equal((await tenant.logIn(bob.login, "stranger's own")).shown, GENERIC);
      assert.deepEqual([tenant.users, tenant.partialUsers, tenant.faults], [[], [], []]);
    });
  }

  test("a stranger cannot sign up with bob's address while Okta is up, and bob can still come", async () => {
    const tenant = newTenant({ disable_signup: false });
    assert.equal((await tenant.signUp(bob.email, "stranger's own")).ok, false);
    assert.equal((await tenant.signUp(bob.email.toUpperCase(), "stranger's own")).ok, false);
    assert.ok((await tenant.logIn(bob.login, bob.password)).ok);
    assert.ok((await tenant.signUp(NOBODY, 'a new password')).ok, 'whom the source does not have may sign up');
  });

  for (const name of ['sue', 'mfa', 'gone', 'locked', 'staged', 'fed']) {
    test(`a password reset brings ${name} not in (defect 12: resurrection)`, async () => {
      const person = PEOPLE[name];
      const tenant = newTenant({ disable_signup: false });
      const { ticket, shown } = await tenant.requestPasswordReset(person.email);
      assert.equal(ticket, null);
      assert.ok(SCRIPTS.get_user.includes(`${person.get_user_outcome}: '${shown}'`));
      assert.equal((await tenant.signUp(person.email, 'chosen anew')).ok, false);
      assert.equal((await tenant.logIn(person.login, person.password)).ok, false);
      assert.deepEqual([tenant.users, tenant.partialUsers, tenant.faults], [[], [], []]);
    });
  }

  test("a password reset does bring bob in, as himself, and Okta sees no password", async () => {
    const tenant = newTenant();
    const submissions = await submissionsOf(async () => {
      const { ticket } = await tenant.requestPasswordReset(bob.email);
      await tenant.confirmPasswordReset(ticket, 'chosen anew');
      assert.ok((await tenant.logIn(bob.login, 'chosen anew')).ok);
    });
    assert.equal(submissions, 0);
    const later = newTenant();
    assert.equal((await later.logIn(bob.login, bob.password)).user.user_id, tenant.users[0].user_id);
  });

  test('a user deleted at Auth0 comes back with the same id', async () => {
    const tenant = newTenant();
    const { user } = await tenant.logIn(odd.login, odd.password);
    tenant.deleteUser(user.user_id);
    assert.equal((await tenant.logIn(odd.login, odd.password)).user.user_id, user.user_id);
  });
});

describe('Okta fails', () => {
  for (const fault of ['reset', 'html', 'truncated', 'flood', 'hang', 'status:500', 'status:502', 'status:503', 'status:504']) {
    test(`login, ${fault}: an error, and the password went once (defects 2, 4, 5 and 15)`, async () => {
      await chain.fault('authn', fault);
      const submissions = await submissionsOf(async () => assertFailed(await logIn(bob.login, bob.password)));
      assert.equal(submissions, 1);
    });

    test(`get_user, ${fault}: an error for everybody (defects 2, 4, 6 and 15)`, async () => {
      await chain.fault('any', fault);
      for (const identifier of [bob.email, NOBODY, sue.email]) assertFailed(await getUser(identifier));
    });
  }

  for (const status of ['status:401', 'status:403']) {
    test(`get_user, ${status}: an error for everybody (defect 6)`, async () => {
      await chain.fault('any', status);
      for (const identifier of [bob.email, NOBODY]) assertFailed(await getUser(identifier));
    });
  }

  for (const endpoint of ['user', 'factors']) {
    test(`login, a good password and then no ${endpoint}: an error, never a thin profile`, async () => {
      await chain.fault(endpoint, 'status:503');
      const submissions = await submissionsOf(async () => assertFailed(await logIn(bob.login, bob.password)));
      assert.equal(submissions, 1);
    });
  }

  test('get_user, the search alone is down: an error, never null', async () => {
    await chain.fault('search', 'status:503');
    for (const identifier of [bob.email, NOBODY]) assertFailed(await getUser(identifier));
  });

  test('a second-factor user, whose factors cannot be read: an error, never found', async () => {
    await chain.fault('factors', 'status:503');
    assertFailed(await getUser(mfa.email));
  });

  test('slow, within the limits: an answer', async () => {
    await chain.fault('any', 'slow');
    assertProfile(await logIn(bob.login, bob.password), bob);
  });

  test('well again: an answer', async () => {
    assertProfile(await logIn(bob.login, bob.password), bob);
    assert.equal((await getUser(NOBODY)).result, null);
  });
});

describe('the gateway fails', () => {
  /** A proxy before the gateway that keeps each answer back for a time. */
  const slowGateway = (delayMs) =>
    startDouble(async (request, response) => {
      const { authorization, 'content-type': type, 'x-request-id': id } = request.headers;
      const answer = await fetch(CONFIGURATION.IDBRIDGE_URL + request.url, {
        method: request.method, body: request.text, headers: { authorization, 'content-type': type, 'x-request-id': id },
      });
      const body = await answer.text();
      setTimeout(() => {
        response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') });
        response.end(body);
      }, delayMs);
    });

  test('slow, within the limit: an answer', async () => {
    const gateway = await slowGateway(200);
    const configuration = { ...CONFIGURATION, IDBRIDGE_URL: gateway.url };
    assertProfile(await logIn(bob.login, bob.password, { configuration }), bob);
    await gateway.close();
  });

  test('slow, past the limit (timers 5 times faster): an error, and the password went once (defect 15)', async () => {
    const gateway = await slowGateway(4000);
    const configuration = { ...CONFIGURATION, IDBRIDGE_URL: gateway.url };
    const submissions = await submissionsOf(async () => {
      assertFailed(await logIn(bob.login, bob.password, { configuration, speed: 5 }));
    });
    assertFailed(await getUser(NOBODY, { configuration, speed: 5 }));
    await gateway.close();
    assert.equal(submissions, 1);
    assert.equal(gateway.asked.length, 2);
  });

  test('a wrong key: an error, and nothing reaches the org (defects 5 and 6)', async () => {
    const submissions = await submissionsOf(async () => {
      for (const IDBRIDGE_KEY of ['wrong', `${CONFIGURATION.IDBRIDGE_KEY}x`, CONFIGURATION.IDBRIDGE_KEY.slice(1)]) {
        const configuration = { ...CONFIGURATION, IDBRIDGE_KEY };
        const report = await logIn(bob.login, bob.password, { configuration });
        assertFailed(report);
        assert.match(report.error.message, /HTTP 401/);
        for (const identifier of [bob.email, NOBODY]) assertFailed(await getUser(identifier, { configuration }));
      }
    });
    assert.equal(submissions, 0);
  });

  test('a wrong path before it: an error', async () => {
    const configuration = { ...CONFIGURATION, IDBRIDGE_URL: `${CONFIGURATION.IDBRIDGE_URL}/elsewhere` };
    const report = await getUser(NOBODY, { configuration });
    assertFailed(report);
    assert.match(report.error.message, /HTTP 404/);
  });

  test('missing configuration: an error, and nothing reaches the org', async () => {
    const submissions = await submissionsOf(async () => {
      for (const missing of ['IDBRIDGE_KEY', 'IDBRIDGE_URL']) {
        const { [missing]: _, ...configuration } = CONFIGURATION;
        for (const report of [await logIn(bob.login, bob.password, { configuration }), await getUser(NOBODY, { configuration })]) {
          assertFailed(report);
          assert.match(report.error.message, /not configured/);
        }
      }
    });
    assert.equal(submissions, 0);
  });

  test('stopped: an error for everybody, and nobody signs up; started: an answer', async () => {
    const tenant = newTenant({ disable_signup: false });
    await chain.stopGateway();
    try {
      assertFailed(await logIn(bob.login, bob.password));
      for (const identifier of [bob.email, NOBODY]) assertFailed(await getUser(identifier));
      assert.deepEqual(await tenant.signUp(bob.email, "stranger's own"), { ok: false, shown: GENERIC });
    } finally {
      await chain.startGateway();
    }
    assertProfile(await logIn(bob.login, bob.password), bob);
    assert.deepEqual(tenant.users, []);
  });
});

describe('last, since the broker remembers it', () => {
  for (const fault of ['status:429', 'concurrency']) {
    test(`Okta is over its limit, ${fault}: an error for everybody (defects 5 and 6)`, async () => {
      await chain.fault('any', fault);
      const submissions = await submissionsOf(async () => assertFailed(await logIn(bob.login, bob.password)));
      assert.ok(submissions <= 1);
      for (const identifier of [bob.email, NOBODY]) assertFailed(await getUser(identifier));
    });
  }

  test("Okta refuses our token: an error for everybody, never null (defects 6 and 14)", async () => {
    await chain.revokeTokens();
    for (const identifier of [bob.email, NOBODY]) assertFailed(await getUser(identifier));
    assertFailed(await logIn(bob.login, bob.password));
  });
});
