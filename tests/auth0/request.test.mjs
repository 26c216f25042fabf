// What the scripts send, what they need for it, what they let through of the answer, and the exported files themselves.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  ask, assertFailed, assertWrong, assertYes, BOTH, IDENTIFIER, KEY, PASSWORD, sandbox, YES,
} from './ask.mjs';
import { breaks, says, startDouble } from './double.mjs';
import { argumentsOf, DATABASE_JSON, EXPORTED, SCRIPTS } from './scripts.mjs';

describe('configuration fails closed, before any call', () => {
  const bad = {
    'no URL': { IDBRIDGE_KEY: KEY },
    'no key': { IDBRIDGE_URL: 'DOUBLE' },
    'nothing': {},
    'an empty URL': { IDBRIDGE_URL: '', IDBRIDGE_KEY: KEY },
    'an empty key': { IDBRIDGE_URL: 'DOUBLE', IDBRIDGE_KEY: '' },
    'a blank key': { IDBRIDGE_URL: 'DOUBLE', IDBRIDGE_KEY: ' \n' },
  };
  for (const url of [
    'https:/idbridge.example.com', 'https:idbridge.example.com', 'idbridge.example.com', '//idbridge.example.com', '/auth0',
    'ftp://idbridge.example.com', 'file:///etc/hosts', 'javascript:1', 'https://', 'https:///x', 'https://a b',
    'https://user:pw@idbridge.example.com', 'https://h?x=1', 'https://h/#x', 'https:\\\\h', '@@IDBRIDGE_URL@@',
  ]) {
    bad[`URL ${url} (defect 1: a repaired URL)`] = { IDBRIDGE_URL: url, IDBRIDGE_KEY: KEY };
  }
  for (const [name, configuration] of Object.entries(bad)) {
    test(name, async () => {
      const double = await startDouble(says.outcome({ outcome: 'not_found' }));
      if (configuration.IDBRIDGE_URL === 'DOUBLE') configuration.IDBRIDGE_URL = double.url;
      for (const script of BOTH) {
        const report = await sandbox.run({ source: SCRIPTS[script], args: argumentsOf(script, 'a', 'b'), configuration });
        assert.deepEqual(report.faults, []);
        assertFailed(report);
        assert.match(report.error.message, /IDBRIDGE_URL .* IDBRIDGE_KEY is not configured/);
      }
      await double.close();
      assert.deepEqual(double.asked, []);
    });
  }

  test('a key that no header can carry: an error that does not quote it', async () => {
    for (const script of BOTH) {
      const report = await ask(script, breaks.hang, { configuration: { IDBRIDGE_KEY: `${KEY}\nx: y` } });
      assertFailed(report);
      assert.deepEqual(report.asked, []);
    }
  });
});

describe('the request', () => {
  test('is one POST of the contract, the password byte for byte (defect 13: the identifier in a path)', async () => {
    const bodies = { login: { identifier: IDENTIFIER, password: PASSWORD }, get_user: { identifier: IDENTIFIER } };
    const paths = { login: '/auth0/v1/login', get_user: '/auth0/v1/get-user' };
    for (const script of BOTH) {
      const { asked } = await ask(script, says.outcome(YES[script]));
      assert.equal(asked.length, 1);
      const [{ method, path, headers, body }] = asked;
      assert.deepEqual([method, path], ['POST', paths[script]]);
      assert.deepEqual(JSON.parse(body), bodies[script]);
      assert.equal(headers.authorization, `Bearer ${KEY}`);
      assert.match(headers['content-type'], /^application\/json/);
      assert.match(headers['x-request-id'], /^[A-Za-z0-9._-]{1,64}$/);
    }
  });

  for (const identifier of ['me', '.', '..', 'a/b', '%2e%2e', '../../x', '?a=b', '#', '{"a":1}', 'a\u0000b', 'x'.repeat(5000)]) {
    test(`identifier ${JSON.stringify(identifier).slice(0, 20)} stays in the body (defect 13: the identifier in a path)`, async () => {
      for (const script of BOTH) {
        const double = await startDouble(says.outcome(YES[script]));
        const configuration = { IDBRIDGE_URL: double.url, IDBRIDGE_KEY: KEY };
        await sandbox.run({ source: SCRIPTS[script], args: argumentsOf(script, identifier, PASSWORD), configuration });
        await double.close();
        assert.equal(double.asked[0].path, script === 'login' ? '/auth0/v1/login' : '/auth0/v1/get-user');
        assert.equal(JSON.parse(double.asked[0].body).identifier, identifier);
      }
    });
  }

  test('a URL with a folder, with and without a slash at its end', async () => {
    for (const tail of ['/', '/bridge', '/bridge/']) {
      const double = await startDouble(says.outcome(YES.login));
      await sandbox.run({
        source: SCRIPTS.login, args: ['a', 'b'], configuration: { IDBRIDGE_URL: double.url + tail, IDBRIDGE_KEY: KEY },
      });
      await double.close();
      assert.equal(double.asked[0].path, `${tail.replace(/\/$/, '')}/auth0/v1/login`);
    }
  });

  test('each has a request id of its own, which a time-out tells', async () => {
    const seen = new Set();
    for (const script of [...BOTH, ...BOTH]) {
      const { asked, error } = await ask(script, breaks.hang, { speed: 50 });
      assertFailed({ error }, asked[0].headers['x-request-id']);
      seen.add(asked[0].headers['x-request-id']);
    }
    assert.equal(seen.size, 4);
  });

  test('an error tells the request id of the answer, in its header or body, if it is one', async () => {
    const problem = JSON.stringify({ code: 'internal', request_id: 'req-in-body' });
    const answer = (headers) => (_request, response) => {
      response.writeHead(500, { 'content-type': 'application/problem+json', ...headers });
      response.end(problem);
    };
    for (const script of BOTH) {
      assertFailed(await ask(script, answer({})), 'req-in-body');
      const { asked, error } = await ask(script, says.raw(502, 'text/html', 'x', { 'x-request-id': '<script>alert(1)' }));
      assertFailed({ error }, asked[0].headers['x-request-id']);
    }
  });
});

describe('what the other side writes stays there', () => {
  test('no upstream text in any error (defect 23: unbounded upstream text)', async () => {
    const canary = 'UPSTREAM-TEXT ada@corp.example';
    for (const script of BOTH) {
      for (const answer of [
        says.problem(502, canary, { title: canary, detail: canary }),
        says.problem(400, 'invalid_identifier', { title: canary, detail: canary }),
        says.outcome({ outcome: canary }),
        says.outcome({ outcome: 'rejected', reason: canary, message: canary }),
        says.outcome({ outcome: 'rejected', reason: 'account_locked', message: canary }),
        says.raw(500, 'text/html', `<h1>${canary}</h1>`),
      ]) {
        const { error } = await ask(script, answer);
        assert.ok(error);
        assert.ok(!JSON.stringify(error).includes('UPSTREAM-TEXT'));
      }
    }
  });

  test('the second log-in of a container keeps nothing of the first', async () => {
    assertYes(await ask('login', says.outcome(YES.login)));
    assertWrong(await ask('login', says.outcome({ outcome: 'rejected', reason: 'wrong_password' })), IDENTIFIER);
    assertFailed(await ask('login', breaks.reset));
  });
});

describe('the files', () => {
  test('both scripts share their texts and everything below the mark (defect 18: built separately)', () => {
    const shared = (source) => source.slice(source.indexOf('  // From here on, both scripts are the same.'));
    assert.equal(shared(SCRIPTS.login), shared(SCRIPTS.get_user));
    const refused = (source) => source.match(/refused: \{[^}]*\}/)[0];
    assert.equal(refused(SCRIPTS.login), refused(SCRIPTS.get_user));
  });

  test('hold no secret, no module and no sequence that auth0-deploy-cli replaces (defect 14: a token in the text)', () => {
    for (const source of Object.values(SCRIPTS)) {
      assert.doesNotMatch(source, /##|@@/);
      assert.doesNotMatch(source, /SSWS|require\s*\(|\bimport\b\s*[({'"]|\brequest\s*\(/);
      assert.doesNotMatch(source, /https?:\/\/(?!\.\.\.)[a-z]/i);
      assert.ok(source.split('\n').length <= 130);
    }
  });

  test('database.json is an import-mode connection whose secrets are placeholders in quotes', () => {
    const database = JSON.parse(DATABASE_JSON);
    assert.equal(database.strategy, 'auth0');
    if (EXPORTED) assert.match(database.name, /^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$/);
    else assert.equal(database.name, '{{CONNECTION}}');
    assert.deepEqual(database.options, {
      brute_force_protection: true,
      configuration: { IDBRIDGE_KEY: '@@IDBRIDGE_KEY@@', IDBRIDGE_URL: '@@IDBRIDGE_URL@@' },
      customScripts: { get_user: './get_user.js', login: './login.js' },
      disable_signup: true,
      enabledDatabaseCustomization: true,
      import_mode: true,
      requires_username: false,
      strategy_version: 2,
    });
    assert.doesNotMatch(DATABASE_JSON, /##/);
  });

  test('database.json survives a key with quotes and backslashes, as auth0-deploy-cli fills it in', () => {
    const awkward = 'a"b\\c\n';
    const filled = DATABASE_JSON.replace('"@@IDBRIDGE_KEY@@"', () => JSON.stringify(awkward));
    assert.equal(JSON.parse(filled).options.configuration.IDBRIDGE_KEY, awkward);
  });
});
