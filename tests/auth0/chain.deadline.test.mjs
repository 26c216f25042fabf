// The limits fit into each other: the gateway's default deadline ends before the script's own limit, so that a script
// whose source hangs reports what the gateway knows. Needs a chain with the default `rest.deadline`.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { chain, CONFIGURATION } from './chain.mjs';
import { PEOPLE } from './people.mjs';
import { Sandbox } from './sandbox/sandbox.mjs';
import { argumentsOf, SCRIPTS } from './scripts.mjs';

const sandbox = new Sandbox();
after(() => sandbox.close());

test('the org hangs: both scripts report a 504 of the gateway, not their own limit', async () => {
  await chain.fault('any', 'hang');
  const { login, password } = PEOPLE.ada;
  // A container runs one script at a time: the second starts when the first has called back.
  for (const script of ['login', 'get_user']) {
    const args = argumentsOf(script, login, password);
    const { calls, error, faults } = await sandbox.run({ source: SCRIPTS[script], args, configuration: CONFIGURATION });
    assert.deepEqual([faults, calls.length], [[], 1]);
    assert.equal(error?.name, 'Error', JSON.stringify(error));
    assert.match(error.message, /\(HTTP 504, request id [A-Za-z0-9._-]{1,64}\)$/);
  }
  await chain.clear();
});
