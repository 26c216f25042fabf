// The model of the tenant itself, with scripts of a line each.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Sandbox } from '../sandbox/sandbox.mjs';
import { importable } from './profile.mjs';
import { GENERIC, Tenant, WRONG } from './tenant.mjs';

const sandbox = new Sandbox();
after(() => sandbox.close());

const ADA = '{ user_id: "okta|1", email: "Ada@Example.com" }';

/** `login` and `get_user` are what the two scripts do with `callback`. */
function tenant(login, get_user, options = {}) {
  return new Tenant({
    scripts: {
      login: `function login(identifier, password, callback) { ${login}; }`,
      get_user: `function getUser(email, callback) { ${get_user}; }`,
    },
    database: { options: { import_mode: true, ...options } },
    configuration: {},
    sandbox,
  });
}
const yes = `callback(null, ${ADA})`;
const types = (tenant) => tenant.logs.map(({ type }) => type);

describe('log-in', () => {
  test('stores whom the script knows, and asks no more', async () => {
    const t = tenant(yes, yes);
    const { ok, user } = await t.logIn('ADA@example.com', 'pw');
    assert.ok(ok);
    assert.deepEqual(user, { user_id: 'auth0|okta|1', email: 'ada@example.com' });
    assert.ok((await t.logIn('ada@EXAMPLE.com', 'pw')).ok);
    assert.deepEqual(await t.logIn('ada@example.com', 'other'), { ok: false, shown: WRONG });
    assert.deepEqual(t.ran, ['login']);
    assert.deepEqual(types(t), ['s', 's', 'fp']);
    assert.ok(!JSON.stringify(t.users).includes('password'));
  });

  for (const [name, script, type, text] of [
    ['a wrong password', 'callback(new WrongUsernameOrPasswordError("ada", "x"))', 'fp', WRONG],
    ['an unknown user', 'callback(new WrongUsernameOrPasswordError(null, "x"))', 'fu', WRONG],
    ['a refusal', 'callback(new UnauthorizedError("locked"))', 'f', 'locked'],
    ['an error', 'callback(new Error("x"))', 'f', GENERIC],
    ['nothing', 'callback(null)', 'f', WRONG],
    ['a throw', 'throw new Error("x")', 'f', GENERIC],
    ['a bad profile', 'callback(null, { user_id: 1, email: "a@b.c" })', 'f', GENERIC],
  ]) {
    test(`${name} brings nobody in`, async () => {
      const t = tenant(script, yes);
      assert.deepEqual(await t.logIn('ada@example.com', 'pw'), { ok: false, shown: text });
      assert.deepEqual(types(t), [type]);
      assert.deepEqual(t.users, []);
    });
  }

  test('a deleted user comes back with the same id', async () => {
    const t = tenant(yes, yes);
    const { user } = await t.logIn('ada@example.com', 'pw');
    assert.ok(t.deleteUser(user.user_id));
    assert.equal((await t.logIn('ada@example.com', 'pw')).user.user_id, user.user_id);
  });

  test('two users with one address: the second is refused', async () => {
    const t = tenant('callback(null, { user_id: password, email: "ada@example.com" })', yes);
    assert.ok((await t.logIn('ada1', 'one')).ok);
    assert.deepEqual(await t.logIn('ada2', 'two'), { ok: false, shown: GENERIC });
  });

  test('the context is passed if the connection has it', async () => {
    const t = tenant('arguments[3](null, { user_id: typeof callback, email: "a@b.c" })', yes, { enable_script_context: true });
    assert.equal((await t.logIn('a', 'pw')).user.user_id, 'auth0|object');
  });
});

describe('sign-up', () => {
  test('is open only if the source has nobody', async () => {
    assert.ok((await tenant(yes, 'callback(null)').signUp('new@example.com', 'pw')).ok);
    for (const script of [yes, 'callback(new Error("x"))', 'callback(new UnauthorizedError("x"))', 'throw 1', 'null']) {
      const t = tenant(yes, script);
      assert.equal((await t.signUp('ada@example.com', 'pw')).ok, false);
      assert.deepEqual(t.users, []);
      assert.deepEqual(types(t), ['fs']);
    }
  });

  test('is closed where the connection says so', async () => {
    const t = tenant(yes, 'callback(null)', { disable_signup: true });
    assert.equal((await t.signUp('new@example.com', 'pw')).ok, false);
    assert.deepEqual(t.ran, []);
  });
});

describe('password reset', () => {
  test('of an unmoved user makes half a user, and the next log-in the whole one, without the login script', async () => {
    const t = tenant('callback(new Error("not asked"))', yes);
    const { ticket } = await t.requestPasswordReset('ada@example.com');
    assert.ok((await t.confirmPasswordReset(ticket, 'new')).ok);
    assert.deepEqual([t.users, t.partialUsers], [[], ['ada@example.com']]);
    assert.equal((await t.logIn('ada@example.com', 'old')).ok, false);
    assert.ok((await t.logIn('ada@example.com', 'new')).ok);
    assert.deepEqual([t.users.length, t.partialUsers], [1, []]);
    assert.deepEqual(t.ran, ['get_user']);
  });

  test('of a stored user changes the password, once a ticket', async () => {
    const t = tenant(yes, yes);
    await t.logIn('ada@example.com', 'pw');
    const { ticket } = await t.requestPasswordReset('ada@example.com');
    await t.confirmPasswordReset(ticket, 'new');
    assert.ok((await t.logIn('ada@example.com', 'new')).ok);
    assert.deepEqual(await t.confirmPasswordReset(ticket, 'newer'), { ok: false });
  });

  test('of anybody else sends no mail', async () => {
    for (const script of ['callback(null)', 'callback(new Error("x"))', 'callback(new UnauthorizedError("x"))']) {
      const { ticket } = await tenant(yes, script).requestPasswordReset('ada@example.com');
      assert.equal(ticket, null);
    }
  });
});

describe('profiles that cannot be imported', () => {
  const good = { user_id: 'okta|1', email: 'ada@example.com' };
  for (const [name, more] of Object.entries({
    'user_id a number': { user_id: 1 }, 'user_id prefixed': { user_id: 'auth0|1' }, 'no email': { email: undefined },
    'email without @': { email: 'ada' }, 'email too long': { email: `${'a'.repeat(65)}@example.com` },
    'email_verified 1': { email_verified: 1 }, 'name empty': { name: '' }, 'name too long': { name: 'x'.repeat(151) },
    'username an address': { username: 'ada@example.com' }, 'username too long': { username: 'x'.repeat(16) },
    'app_metadata a list': { app_metadata: [] }, 'a dot in a key': { app_metadata: { idbridge: { 'a.b': 1 } } },
    'a dollar in a key': { user_metadata: { $a: 1 } }, 'a reserved key': { app_metadata: { email: 1 } },
    'a field unknown': { blocked: false },
  })) {
    test(name, () => assert.throws(() => importable({ ...good, ...more }, {})));
  }

  test('and one that can', () => {
    const { user_id } = importable({ ...good, username: 'Ada', app_metadata: { idbridge: { groups: ['a.b'] } } }, {});
    assert.equal(user_id, 'auth0|okta|1');
    assert.throws(() => importable(good, { requiresUsername: true }));
  });
});
