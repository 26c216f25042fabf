// Every flow with every answer: what must hold of all of them, and that the document says what they do.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { Containers } from '../sandbox/sandbox.mjs';
import { ANSWERS, document, DOCUMENT, FLOWS, run } from './flows.mjs';

const containers = new Containers();
after(() => containers.close());

describe('every flow, every answer', () => {
  for (const flow of FLOWS) {
    test(flow.name, async () => {
      for (const answer of ANSWERS) {
        const { outcome, tenant } = await run(flow, answer, containers);
        assert.deepEqual(tenant.faults, [], answer);
        assert.ok(tenant.users.length <= 1, 'one person is one user');
        const begins = flow.known && !flow.gone ? 1 : 0;
        if (answer === 'found' || flow.opens.includes(answer)) continue;
        // "Absent", "ineligible" and "outage" make nobody and let nobody in whom Auth0 doesn't know.
        assert.deepEqual([tenant.users.length, tenant.partialUsers.length], [begins, 0], answer);
        if (begins === 0) assert.equal(outcome.ok, false, answer);
      }
    });
  }
});

test('who comes from the source has the source\'s id, by whatever flow', async () => {
  // Where the gate says "absent" of somebody, whoever signs up is another.
  for (const flow of FLOWS.filter(({ opens }) => !opens.includes('found'))) {
    const { tenant } = await run(flow, 'found', containers);
    assert.deepEqual(tenant.users.filter(({ user_id }) => user_id !== 'auth0|okta|00u1'), [], flow.name);
  }
});

test('docs/auth0-flows.md is up to date (node tests/auth0/tenant/flows.mjs --write)', async () => {
  assert.equal(readFileSync(DOCUMENT, 'utf8'), await document());
});
