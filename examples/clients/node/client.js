// A caller of idbridge, with grpc-js: yes, no and "I don't know" told apart.
//
//   IDBRIDGE_KEY=… node client.js [--ca FILE] HOST:PORT log-in LOGIN     (the password on standard input)
//   IDBRIDGE_KEY=… node client.js [--ca FILE] HOST:PORT look-up EMAIL
//
// Exit codes: 0 yes, 1 no, 2 bad usage, 3 don't know.

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import protobuf from 'protobufjs';

const DEADLINE = 10_000; // ms
const USAGE = 'IDBRIDGE_KEY=… node client.js [--ca FILE] HOST:PORT log-in LOGIN | look-up EMAIL';
const PROTO = fileURLToPath(new URL('../../../proto/idbridge/v1/identity.proto', import.meta.url));

const { idbridge } = grpc.loadPackageDefinition(loadSync(PROTO, { enums: String, keepCase: true, oneofs: true }));

function connect(address, ca) {
  // For a certificate of a public authority: createSsl() without an argument.
  const credentials = ca ? grpc.credentials.createSsl(readFileSync(ca)) : grpc.credentials.createInsecure();
  return new idbridge.v1.IdentityService(address, credentials);
}

/** `{yes: user}`, `{no: reason}`, or `{unknown: reason, wait: seconds or undefined}`. */
function ask(client, method, question, key, requestId) {
  const metadata = new grpc.Metadata();
  metadata.set('authorization', `Bearer ${key}`);
  metadata.set('x-request-id', requestId);
  return new Promise((resolve) => {
    client[method](question, metadata, { deadline: Date.now() + DEADLINE }, (error, answer) => {
      resolve(error ? failed(error) : told(answer));
    });
  });
}

function told({ outcome, user, rejection }) {
  if (outcome === 'user') return { yes: user };
  // A reason of a later version comes as a number.
  const reason = outcome === 'rejection' && String(rejection.reason).match(/^REJECTION_REASON_(?!UNSPECIFIED$)(\w+)$/);
  // What a later version says, or nothing at all, is no answer.
  return reason ? { no: reason[1].toLowerCase() } : { unknown: "an answer that this program doesn't know" };
}

function failed(error) {
  const { ErrorInfo, RetryInfo } = details(error);
  const reason = ErrorInfo?.domain === 'idbridge' ? ErrorInfo.reason : grpc.status[error.code];
  // Any proxy says NOT_FOUND; with this reason it is the source's word.
  if (error.code === grpc.status.NOT_FOUND && reason === 'USER_NOT_FOUND') return { no: 'user_not_found' };
  return { unknown: reason, wait: RetryInfo && Number(RetryInfo.retry_delay.seconds) };
}

// grpc-js hands google.rpc.Status over as bytes.
const { root } = protobuf.parse(`
  syntax = "proto3";
  package google.rpc;
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
  message Duration { int64 seconds = 1; int32 nanos = 2; }
  message RetryInfo { Duration retry_delay = 1; }
`, { keepCase: true });

/** `{ErrorInfo, RetryInfo}`, as far as they are there. */
function details(error) {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  if (!bytes) return {};
  const known = root.lookupType('Status').decode(bytes).details.flatMap(({ type_url, value }) => {
    const name = type_url.replace('type.googleapis.com/google.rpc.', '');
    return ['ErrorInfo', 'RetryInfo'].includes(name) ? [[name, root.lookupType(name).decode(value)]] : [];
  });
  return Object.fromEntries(known);
}

async function main() {
  const { values, positionals } = parseArgs({ options: { ca: { type: 'string' } }, allowPositionals: true });
  const [address, command, identifier] = positionals;
  const key = process.env.IDBRIDGE_KEY ?? '';
  // What isn't a key would be quoted by an error.
  if (!/^[\x21-\x7e]+$/.test(key) || positionals.length !== 3 || !['log-in', 'look-up'].includes(command)) {
    console.error(USAGE);
    return 2;
  }
  const requestId = randomUUID(); // joins this call to the broker's records
  const client = connect(address, values.ca);
  let result;
  if (command === 'log-in') {
    // A password is counted at the source: never repeat this call yourself.
    const password = readFileSync(0, 'utf8').replace(/\n$/, '');
    result = await ask(client, 'Authenticate', { login: identifier, password }, key, requestId);
  } else {
    result = await ask(client, 'GetUserByEmail', { email: identifier }, key, requestId);
  }
  client.close();

  const [code, line] = lineOf(result);
  console.log(`${line} (request ${requestId})`);
  return code;
}

function lineOf({ yes, no, unknown, wait }) {
  if (yes) return [0, `yes: ${yes.id} ${yes.email}`];
  if (no) return [1, `no: ${no}`];
  return [3, `don't know: ${unknown}${wait ? `, ask again in ${wait} s` : ''}`];
}

try {
  process.exitCode = await main();
} catch (error) {
  // Node's own exit code for this is 1, which would be a no.
  console.error(error.message);
  process.exitCode = 2;
}
