// A double of the gateway: an HTTP server on loopback that answers as a test says, and keeps what it was asked.

import { createServer } from 'node:http';
import { once } from 'node:events';

/** Starts one. `answer` gets (request, response) with `request.text`, the whole body. */
export async function startDouble(answer) {
  const asked = [];
  const server = createServer(async (request, response) => {
    request.text = '';
    for await (const part of request) request.text += part;
    asked.push({ method: request.method, path: request.url, headers: request.headers, body: request.text });
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref(); // a test that fails before it closes this must not keep the process
  return {
    asked,
    url: `http://127.0.0.1:${server.address().port}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** An address where nobody listens. */
export async function closedPort() {
  const double = await startDouble(() => {});
  await double.close();
  return double.url;
}

export const REQUEST_ID = 'req-from-gateway.1';

/** Answers as the gateway gives them. */
export const says = {
  outcome: (body) => says.raw(200, 'application/json', JSON.stringify(body)),
  problem: (status, code, body = {}) =>
    says.raw(
      status,
      'application/problem+json',
      JSON.stringify({ type: 'about:blank', title: 'No', status, code, request_id: REQUEST_ID, ...body }),
    ),
  raw:
    (status, type, body, headers = {}) =>
    (_request, response) => {
      response.writeHead(status, { 'x-request-id': REQUEST_ID, ...(type && { 'content-type': type }), ...headers });
      response.end(body);
    },
};

/** Answers as networks, proxies and broken servers give them. */
export const breaks = {
  hang: () => {},
  reset: (request) => request.socket.destroy(),
  resetInBody: (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '40' });
    response.write('{"outcome":"not_found"}', () => response.destroy());
  },
  stallInBody: (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '40' });
    response.write('{"outcome":"not_found"}');
  },
  dribble: (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
  },
  garbage: (request) => request.socket.end('this is not HTTP\r\n\r\n'),
};
