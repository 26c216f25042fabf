// The sandbox itself: that each sort of misbehaviour is seen, and told apart.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Fault, Sandbox, UnfitScript } from './sandbox.mjs';

const sandbox = new Sandbox({ limitMs: 2000 });
after(() => sandbox.close());

const run = (source, more = {}) => sandbox.run({ source, args: ['ada', 'pw'], ...more });

describe('a script that Auth0 could not compile is refused', () => {
  for (const [why, source] of [
    ['two functions', 'function a(x, callback) { callback(null); }\nfunction b() {}'],
    ['a semicolon behind', 'function a(x, callback) { callback(null); };'],
    ["a prologue before", "'use strict'\nfunction a(x, callback) { callback(null); }"],
    ['a comma expression', 'function a() {}, function b(callback) { callback(null); }'],
    ['no name', '(x, callback) => callback(null)'],
    ['an import', "import fs from 'node:fs';\nfunction a(x, callback) { callback(null); }"],
    ['not a function', '{ a: 1 }'],
    ['more than 100 KB', `function a(x, callback) { callback(null, '${'x'.repeat(100 * 1024)}'); }`],
  ]) {
    test(why, () => assert.rejects(run(source), UnfitScript));
  }

  test('comments around are fine', async () => {
    const { faults } = await run('// one\n/* two */\nfunction a(x, p, callback) { callback(null); }\n');
    assert.deepEqual(faults, []);
  });
});

describe('faults are told apart', () => {
  for (const [name, body, faults] of [
    ['once', 'callback(null)', []],
    ['twice', 'callback(null); callback(null)', [Fault.CALLED_AGAIN]],
    ['late', 'callback(null); setTimeout(() => callback(null), 30)', [Fault.CALLED_AGAIN]],
    ['never', 'null', [Fault.NEVER_CALLED]],
    ['hangs', 'setInterval(() => {}, 100)', [Fault.TIMED_OUT]],
    ['loops', 'while (true) {}', [Fault.TIMED_OUT]],
    ['runs on', 'callback(null); setInterval(() => {}, 100)', [Fault.RAN_ON]],
    ['throws', 'throw new TypeError("boom")', [Fault.NEVER_CALLED, Fault.THREW]],
    ['throws after', 'callback(null); throw new Error("boom")', [Fault.THREW]],
    ['rejects', 'Promise.reject(new Error("boom"))', [Fault.NEVER_CALLED, Fault.UNHANDLED]],
    ['throws later', 'setTimeout(() => { throw new Error("boom"); }, 1)', [Fault.NEVER_CALLED, Fault.UNHANDLED]],
  ]) {
    test(name, async () => {
      const report = await run(`function a(x, p, callback) { ${body}; }`);
      assert.deepEqual(report.faults, faults);
      assert.equal(report.error === null, body.startsWith('callback'));
    });
  }

  test('a callback that throws', async () => {
    const guarded = await run('function a(x, p, callback) { try { callback(null); } catch {} }', { callbackThrows: true });
    assert.deepEqual(guarded.faults, []);
    const twice = await run('function a(x, p, callback) { try { callback(null); } catch (e) { callback(e); } }', {
      callbackThrows: true,
    });
    assert.ok(twice.faults.includes(Fault.CALLED_AGAIN));
  });
});

describe('what a script sees', () => {
  const value = async (expression, more) =>
    (await run(`function a(x, p) { arguments[arguments.length - 1](null, ${expression}); }`, more)).result;

  test('only the globals that are put there', async () => {
    assert.deepEqual(
      await value('[typeof fetch, typeof setTimeout, typeof request, typeof crypto, typeof UnauthorizedError]'),
      ['function', 'function', 'undefined', 'undefined', 'function'],
    );
    const { threw } = await run("function a() { require('request'); }");
    assert.match(threw.message, /Cannot find module/);
  });

  test('configuration is frozen text', async () => {
    assert.equal(await value("(configuration.A = '2', configuration.A)", { configuration: { A: '1' } }), '1');
    await assert.rejects(run('function a() {}', { configuration: { A: 1 } }), TypeError);
  });

  test('a context, if there is one, stands before the callback', async () => {
    assert.equal(await value('arguments.length'), 3);
    assert.deepEqual(await value('[arguments.length, arguments[2]]', { context: { a: 1 } }), [4, { a: 1 }]);
  });

  test('global lives on in one container and not in another', async () => {
    const count = 'global.n = (global.n || 0) + 1';
    const first = await value(count);
    assert.equal(await value(count), first + 1);
    const other = new Sandbox();
    const report = await other.run({ source: `function a(callback) { callback(null, ${count}); }`, args: [] });
    other.close();
    assert.equal(report.result, 1);
  });

  test('timers can be made faster', async () => {
    const report = await run('function a(x, p, callback) { setTimeout(() => callback(null), 10000); }', { speed: 1000 });
    assert.deepEqual(report.faults, []);
  });
});

describe('what crosses to Auth0', () => {
  test('JSON', async () => {
    const { result } = await run(
      'function a(x, p, callback) { callback(null, { d: new Date(0), f: () => 1, n: NaN, u: undefined }); }',
    );
    assert.deepEqual(result, { d: '1970-01-01T00:00:00.000Z', n: null });
  });

  test('a few fields of an error', async () => {
    const { error } = await run(
      "function a(x, p, callback) { callback(Object.assign(new WrongUsernameOrPasswordError('ada', 'no'), { extra: 1 })); }",
    );
    const { stack, ...fields } = error;
    assert.deepEqual(fields, {
      name: 'WrongUsernameOrPasswordError', code: 'wrongusernameorpassword', message: 'no', user_id: 'ada',
    });
  });

  test('an error of text', async () => {
    const { error } = await run("function a(x, p, callback) { callback('no'); }");
    assert.equal(error.message, 'no');
  });

  test('the console is kept', async () => {
    assert.deepEqual((await run("function a(x, p, callback) { console.log('one', 2); callback(null); }")).console, ['one 2']);
  });
});
