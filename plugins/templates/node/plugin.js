// An identity source for idbridge: `kind = "grpc"`. What is asked of __NAME__ stands in people.js; this file is the wire.
//
//   IDBRIDGE_PLUGIN_KEY=… node plugin.js [--listen 127.0.0.1:50061] people.toml
//
// Callers send the key as `authorization: Bearer KEY`. Beyond loopback, put TLS before it, or listen on unix:///PATH.

import { createHash, timingSafeEqual } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import protobuf from 'protobufjs';
import { CouldNotFindOut, People } from './people.js';

const PROTO = fileURLToPath(new URL('proto/idbridge/v1/identity.proto', import.meta.url));
export const { idbridge } = grpc.loadPackageDefinition(loadSync(PROTO, { enums: String, keepCase: true, oneofs: true }));

// docs/errors.md of idbridge: the reason, and its status.
const STATUSES = {
  AMBIGUOUS_USER: grpc.status.INTERNAL,
  CALLER_UNAUTHENTICATED: grpc.status.UNAUTHENTICATED,
  INTERNAL: grpc.status.INTERNAL,
  INVALID_IDENTIFIER: grpc.status.INVALID_ARGUMENT,
  SOURCE_CREDENTIAL_REFUSED: grpc.status.INTERNAL,
  SOURCE_PROTOCOL: grpc.status.INTERNAL,
  SOURCE_THROTTLED: grpc.status.RESOURCE_EXHAUSTED,
  SOURCE_UNAVAILABLE: grpc.status.UNAVAILABLE,
  USER_NOT_FOUND: grpc.status.NOT_FOUND,
};
const WAITS = ['SOURCE_THROTTLED', 'SOURCE_UNAVAILABLE'];

// grpc-js takes google.rpc.Status as bytes.
export const { root: rpc } = protobuf.parse(`
  syntax = "proto3";
  package google.rpc;
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
  message Duration { int64 seconds = 1; int32 nanos = 2; }
  message RetryInfo { Duration retry_delay = 1; }
`, { keepCase: true });

function refusal(reason, wait = 1) {
  const details = [packed('ErrorInfo', { reason, domain: 'idbridge' })];
  if (WAITS.includes(reason)) {
    details.push(packed('RetryInfo', { retry_delay: { seconds: Math.min(Math.max(wait, 1), 60) } }));
  }
  const metadata = new grpc.Metadata();
  const status = { code: STATUSES[reason], message: reason, details };
  metadata.set('grpc-status-details-bin', Buffer.from(rpc.lookupType('Status').encode(status).finish()));
  return { code: STATUSES[reason], details: reason, metadata };
}

function packed(name, value) {
  const type = rpc.lookupType(name);
  return { type_url: `type.googleapis.com/google.rpc.${name}`, value: type.encode(type.fromObject(value)).finish() };
}

/** One method: the key, the question, and an answer of whatever comes. */
function method(key, ask) {
  const digest = (text) => createHash('sha256').update(text).digest();
  const wanted = digest(`Bearer ${key}`);
  return async (call, callback) => {
    const [sent = ''] = call.metadata.get('authorization');
    if (!timingSafeEqual(digest(sent), wanted)) return callback(refusal('CALLER_UNAUTHENTICATED'));
    try {
      const answer = await ask(call.request);
      if (answer === null) return callback(refusal('USER_NOT_FOUND'));
      const { user, rejection } = answer;
      return callback(null, user ? { user } : { rejection: { reason: `REJECTION_REASON_${rejection}` } });
    } catch (problem) {
      if (problem instanceof CouldNotFindOut) return callback(refusal(problem.reason, problem.wait));
      // The type alone: a message may quote what somebody typed. Whatever it is, it is no no.
      console.error(`a bug: ${problem?.constructor?.name}`);
      return callback(refusal('INTERNAL'));
    }
  };
}

/** A running server, and the port that it got. */
export async function serve(people, key, listen) {
  const server = new grpc.Server({ 'grpc.max_receive_message_length': 65536 });
  server.addService(idbridge.v1.IdentityService.service, {
    Authenticate: method(key, ({ login, password }) => people.checkPassword(login, password)),
    GetUserByEmail: method(key, ({ email }) => {
      if (email.split('@').length !== 2) throw new CouldNotFindOut('INVALID_IDENTIFIER');
      return people.findByEmail(email);
    }),
  });
  const bind = (resolve, reject) => {
    const done = (error, port) => (error ? reject(error) : resolve(port));
    server.bindAsync(listen, grpc.ServerCredentials.createInsecure(), done);
  };
  return { server, port: await new Promise(bind) };
}

async function main() {
  const { values, positionals } = parseArgs({
    options: { listen: { type: 'string', default: '127.0.0.1:50061' } },
    allowPositionals: true,
  });
  const key = process.env.IDBRIDGE_PLUGIN_KEY;
  if (!key || positionals.length !== 1) {
    console.error('IDBRIDGE_PLUGIN_KEY=… node plugin.js [--listen ADDRESS] people.toml');
    process.exit(2);
  }
  const { server, port } = await serve(new People(positionals[0]), key, values.listen);
  console.log(`listening on port ${port}`);
  // Calls in flight are finished.
  process.once('SIGTERM', () => server.tryShutdown(() => {}));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
