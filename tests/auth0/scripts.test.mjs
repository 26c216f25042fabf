// The scripts against a double of the gateway: every row of the table in the contract, and every way to get no answer.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  ask, assertFailed, assertNobody, assertUnauthorized, assertWellBehaved, assertWrong, assertYes, BOTH, CREDENTIAL_REASONS,
  IDENTIFIER, KEY, PASSWORD, PROFILE, REASONS, sandbox, textOf, YES,
} from './ask.mjs';
import { breaks, closedPort, REQUEST_ID, says, startDouble } from './double.mjs';
import { Sandbox } from './sandbox/sandbox.mjs';
import { argumentsOf, SCRIPTS } from './scripts.mjs';

for (const [form, context] of [['without context', undefined], ['with context', { organization: { id: 'org_1' } }]]) {
  describe(`the table, ${form}`, () => {
    const row = (script, body) => ask(script, says.outcome(body), { context });

    test('authenticated, found: the profile as it came', async () => {
      for (const script of BOTH) assertYes(await row(script, YES[script]));
    });

    test('login, rejected unknown_user: wrong, without a user', async () => {
      assertWrong(await row('login', { outcome: 'rejected', reason: 'unknown_user' }), null);
    });

    for (const reason of ['wrong_password', 'invalid_credentials']) {
      test(`login, rejected ${reason}: wrong, with the identifier (defect 7: bare call back)`, async () => {
        assertWrong(await row('login', { outcome: 'rejected', reason }), IDENTIFIER);
      });
    }

    for (const reason of REASONS) {
      test(`rejected ${reason}: unauthorized, with our text`, async () => {
        const text = textOf(reason);
        for (const script of BOTH) assertUnauthorized(await row(script, { outcome: 'rejected', reason }), text);
      });
    }

    for (const reason of ['unspecified', 'some_day_later', 'constructor', '__proto__', 'other']) {
      test(`rejected ${reason}, which has no text: unauthorized, with the general one (defect 23: upstream text)`, async () => {
        for (const script of BOTH) {
          assertUnauthorized(await row(script, { outcome: 'rejected', reason }), textOf('other'));
        }
      });
    }

    test('get_user, not_found: nobody', async () => {
      assertNobody(await row('get_user', { outcome: 'not_found' }));
    });

    for (const code of ['invalid_identifier', 'invalid_password']) {
      test(`400 ${code}: wrong at login, an error at get_user`, async () => {
        assertWrong(await ask('login', says.problem(400, code), { context }), null);
        assertFailed(await ask('get_user', says.problem(400, code), { context }), REQUEST_ID);
      });
    }
  });
}

describe('no other answer is an answer', () => {
  const json = 'application/json';
  const cases = {
    'not_found at login': ['login', says.outcome({ outcome: 'not_found' })],
    'found at login': ['login', says.outcome(YES.get_user)],
    'authenticated at get_user': ['get_user', says.outcome(YES.login)],
    'not_found with more beside it': ['get_user', says.outcome({ outcome: 'not_found', profile: PROFILE })],
    'not_found as a list': ['get_user', says.outcome([{ outcome: 'not_found' }])],
    'not_found in text': ['get_user', says.raw(200, json, '"not_found"')],
    'not_found as HTML': ['get_user', says.raw(200, 'text/html', '{"outcome":"not_found"}')],
    'not_found as text': ['get_user', says.raw(200, 'text/plain', '{"outcome":"not_found"}')],
    'not_found without a type': ['get_user', says.raw(200, undefined, '{"outcome":"not_found"}')],
    'not_found as problem+json': ['get_user', says.raw(200, 'application/problem+json', '{"outcome":"not_found"}')],
    'not_found with 201': ['get_user', says.raw(201, json, '{"outcome":"not_found"}')],
    'not_found with 404': ['get_user', says.raw(404, json, '{"outcome":"not_found"}')],
    'not_found twice over': ['get_user', says.raw(200, json, '{"outcome":"not_found"}{"outcome":"not_found"}')],
    'not_found cut short': ['get_user', says.raw(200, json, '{"outcome":"not_found"')],
    'wrong_password with 401': ['login', says.raw(401, json, '{"outcome":"rejected","reason":"wrong_password"}')],
    'a 400 of another type': ['login', says.raw(400, json, '{"code":"invalid_password"}')],
    'a 400 with another code': ['login', says.problem(400, 'invalid_request')],
    'a 400 of unknown source': ['login', says.problem(400, 'unknown_source')],
    'a 422 with the code of a 400': ['login', says.problem(422, 'invalid_password')],
  };
  for (const [name, [script, answer]] of Object.entries(cases)) {
    test(`${script}: ${name}`, async () => assertFailed(await ask(script, answer), REQUEST_ID));
  }

  for (const reason of CREDENTIAL_REASONS) {
    test(`get_user: rejected ${reason}`, async () => {
      assertFailed(await ask('get_user', says.outcome({ outcome: 'rejected', reason })), REQUEST_ID);
    });
  }

  const profiles = {
    'no profile': undefined,
    'profile null': null,
    'profile a list': [],
    'profile a text': 'okta|00u1',
    'no user_id': { ...PROFILE, user_id: undefined },
    'user_id empty': { ...PROFILE, user_id: '' },
    'user_id a number': { ...PROFILE, user_id: 1 },
    'user_id null': { ...PROFILE, user_id: null },
    'no email': { ...PROFILE, email: undefined },
    'email null': { ...PROFILE, email: null },
  };
  for (const [name, profile] of Object.entries(profiles)) {
    test(`a yes with ${name} (defect 4: a field of nothing is read)`, async () => {
      for (const script of BOTH) {
        assertFailed(await ask(script, says.outcome({ ...YES[script], profile })), REQUEST_ID);
      }
    });
  }

  for (const outcome of [undefined, null, '', 0, true, 'success', 'ok', 'AUTHENTICATED', 'unknown', 'constructor']) {
    test(`200 with outcome ${JSON.stringify(outcome)} (defect 3: any 200 is a yes)`, async () => {
      for (const script of BOTH) {
        assertFailed(await ask(script, says.outcome({ outcome, profile: PROFILE })), REQUEST_ID);
      }
    });
  }

  for (const reason of [undefined, null, '', 7, {}, ['wrong_password']]) {
    test(`rejected with reason ${JSON.stringify(reason)}`, async () => {
      for (const script of BOTH) assertFailed(await ask(script, says.outcome({ outcome: 'rejected', reason })), REQUEST_ID);
    });
  }

  for (const [name, body] of Object.entries({
    empty: '', null: 'null', 'a number': '1', 'a list': '[]', HTML: '<html>Sign in</html>', 'an object': '{}',
    'invalid UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0xfe]), 'a yes cut short': JSON.stringify(YES.login).slice(0, -2),
  })) {
    test(`200 with a body that is ${name} (defect 4: a body without its field hangs)`, async () => {
      for (const script of BOTH) assertFailed(await ask(script, says.raw(200, json, body)), REQUEST_ID);
    });
  }
});

describe('statuses', () => {
  const STATUSES = [
    201, 202, 204, 206, 300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 408, 409, 410, 413, 415, 418, 422, 423,
    429, 500, 501, 502, 503, 504, 520, 599,
  ];
  for (const status of STATUSES) {
    for (const type of ['application/json', 'application/problem+json']) {
      test(`login ${status} ${type}, with a yes in it (defect 5: any other status is a wrong password)`, async () => {
        assertFailed(await ask('login', says.raw(status, type, JSON.stringify(YES.login))), REQUEST_ID);
      });
      test(`get_user ${status} ${type}, with a no in it (defect 6: any other status is "no such user")`, async () => {
        assertFailed(await ask('get_user', says.raw(status, type, '{"outcome":"not_found"}')), REQUEST_ID);
      });
    }
  }

  for (const [status, code] of [
    [401, 'caller_unauthenticated'], [403, 'caller_not_allowed'], [404, 'not_found'], [429, 'source_throttled'],
    [429, 'caller_throttled'], [500, 'internal'], [501, 'operation_unsupported'], [502, 'source_credential_refused'],
    [502, 'ambiguous_user'], [503, 'source_unavailable'], [503, 'overloaded'], [504, 'deadline_exceeded'],
  ]) {
    test(`the gateway's ${status} ${code}`, async () => {
      for (const script of BOTH) assertFailed(await ask(script, says.problem(status, code)), REQUEST_ID);
    });
  }

  for (const status of [301, 302, 303, 307, 308]) {
    test(`a ${status} is not followed: the password goes to one place`, async () => {
      const elsewhere = await startDouble(says.outcome({ outcome: 'not_found' }));
      for (const script of BOTH) {
        const report = await ask(script, says.raw(status, 'text/html', '', { location: `${elsewhere.url}/auth0/v1/login` }));
        assertFailed(report, REQUEST_ID);
        assert.equal(report.asked.length, 1);
      }
      assert.deepEqual(elsewhere.asked, []);
      await elsewhere.close();
    });
  }
});

describe('the network', () => {
  for (const fault of ['reset', 'resetInBody', 'garbage']) {
    test(`${fault} (defect 2: the error is ignored), and the password goes once`, async () => {
      for (const script of BOTH) {
        const report = await ask(script, breaks[fault]);
        assertFailed(report);
        assert.equal(report.asked.length, 1);
      }
    });
  }

  for (const fault of ['hang', 'stallInBody', 'dribble']) {
    test(`${fault}: an error at the limit, timers 20 times faster (defect 15: no time limit)`, async () => {
      for (const script of BOTH) {
        const report = await ask(script, breaks[fault], { speed: 20 });
        assertFailed(report);
        assert.match(report.error.message, /did not answer in time/);
        assert.ok(report.elapsedMs >= 350, `${report.elapsedMs} ms`);
      }
    });
  }

  test('the limit is 7 s of the wall clock, the body included (defect 15: no time limit)', async () => {
    const reports = await Promise.all(
      BOTH.map(async (script) => {
        const own = new Sandbox();
        const double = await startDouble(breaks.stallInBody);
        const report = await own.run({
          source: SCRIPTS[script],
          args: argumentsOf(script, IDENTIFIER, PASSWORD),
          configuration: { IDBRIDGE_URL: double.url, IDBRIDGE_KEY: KEY },
        });
        own.close();
        await double.close();
        return report;
      }),
    );
    for (const report of reports) {
      assertWellBehaved(report);
      assertFailed(report);
      assert.ok(report.calls[0].atMs >= 6990 && report.calls[0].atMs < 9000, `${report.calls[0].atMs} ms`);
    }
  });

  test('an answer after the limit changes nothing', async () => {
    for (const script of BOTH) {
      const late = (request, response) => request.socket.on('close', () => says.outcome(YES[script])(request, response));
      assertFailed(await ask(script, late, { speed: 20 }));
    }
  });

  test('a slow answer within the limit is an answer', async () => {
    const slow = (body) => (request, response) => setTimeout(says.outcome(body), 100, request, response);
    for (const script of BOTH) assertYes(await ask(script, slow(YES[script])));
  });

  test('an answer in many parts is an answer', async () => {
    const parts = (body) => (_request, response) => {
      response.writeHead(200, { 'content-type': 'Application/JSON; charset=utf-8' });
      for (const byte of Buffer.from(JSON.stringify(body))) response.write(Buffer.from([byte]));
      response.end();
    };
    for (const script of BOTH) assertYes(await ask(script, parts(YES[script])));
  });

  test('nobody listens', async () => {
    const IDBRIDGE_URL = await closedPort();
    for (const script of BOTH) assertFailed(await ask(script, breaks.hang, { configuration: { IDBRIDGE_URL } }));
  });
});

describe('the callback', () => {
  test('is called once even if it throws', async () => {
    for (const script of BOTH) {
      await ask(script, says.outcome(YES[script]), { callbackThrows: true });
      await ask(script, says.problem(503, 'overloaded'), { callbackThrows: true });
      await ask(script, says.outcome({ outcome: 'rejected', reason: 'account_locked' }), { callbackThrows: true });
    }
  });

  test('leaves nothing running behind it', async () => {
    for (const script of BOTH) {
      for (const answer of [says.outcome(YES[script]), says.problem(503, 'overloaded'), breaks.reset]) {
        const { calls, elapsedMs } = await ask(script, answer);
        assert.ok(elapsedMs - calls[0].atMs < 3000, `${elapsedMs - calls[0].atMs} ms`);
      }
    }
  });

  test('is called even if the container lacks a global (defect 16: a bare `request`)', async () => {
    for (const script of BOTH) {
      const source = SCRIPTS[script].replace('{', '{ const fetch = undefined;');
      const report = await sandbox.run({
        source, args: argumentsOf(script, IDENTIFIER, PASSWORD), configuration: { IDBRIDGE_URL: 'http://127.0.0.1:1', IDBRIDGE_KEY: KEY },
      });
      assertWellBehaved(report);
      assertFailed(report);
    }
  });
});
