// The child process of a Sandbox: compiles one script, runs it, and reports all that it does.
//
// It is at rest when nothing keeps the event loop alive: then no call back can come any more, and none is waited for.

import vm from 'node:vm';
import { boundary } from './boundary.mjs';
import { UnauthorizedError, ValidationError, WrongUsernameOrPasswordError } from './errors.mjs';

const persistent = {}; // [DOC] `global` lives as long as the container
let running = false;

const tell = (event) => process.send(event);

process.on('message', (order) => {
  running = true;
  process.channel.unref();
  try {
    execute(order);
  } catch (error) {
    running = false;
    process.channel.ref();
    tell({ kind: 'broken', message: String(error?.message ?? error) });
  }
});

process.on('beforeExit', () => {
  if (!running) return;
  running = false;
  process.channel.ref();
  tell({ kind: 'rest' });
});

for (const event of ['unhandledRejection', 'uncaughtException']) {
  process.on(event, (error) => tell({ kind: 'unhandled', error: boundary.error(error) }));
}

function execute({ source, args, configuration, context, speed, callbackThrows, routes }) {
  const script = compile(source, globals(configuration, speed, routes));
  const callback = (error, result) => {
    tell({ kind: 'call', call: boundary.call(error, result) });
    if (callbackThrows) throw new Error('the callback threw');
  };
  const all = context === undefined ? [...args, callback] : [...args, context, callback];
  try {
    script(...all);
  } catch (error) {
    tell({ kind: 'threw', error: boundary.error(error) });
  }
}

// Strict on purpose: what compiles as one parenthesised function expression compiles in every wrapper known.
function compile(source, sandbox) {
  const script = new vm.Script(`(${source}\n)`, { filename: 'script.js' });
  const value = script.runInContext(vm.createContext(sandbox), { timeout: 1000 });
  if (typeof value !== 'function') throw new Error('not a function');
  if (value.name === '') throw new Error('the function has no name');
  const text = value.toString();
  const before = source.slice(0, source.lastIndexOf(text));
  if (!source.trimEnd().endsWith(text)) throw new Error('something follows the function');
  if (!/^(\s|\/\/[^\n]*\n|\/\*[\s\S]*?\*\/)*$/.test(before)) throw new Error('something precedes the function');
  return value;
}

// [DOC] `configuration`, `global`, `console`, `fetch` and the error classes; [INFER] the web's own names beside them.
// No `request`, no `require`: the scripts may use no module.
function globals(configuration, speed, routes) {
  const faster = (set) => (work, delay, ...rest) => set(work, delay / speed, ...rest);
  const log = (...parts) => tell({ kind: 'console', text: parts.map(String).join(' ') });
  return {
    AbortController, AbortSignal, Buffer, Headers, Request, Response, TextDecoder, TextEncoder, URL, URLSearchParams,
    UnauthorizedError, ValidationError, WrongUsernameOrPasswordError,
    clearInterval, clearTimeout,
    fetch: (url, options) => fetch(routed(String(url), routes), options),
    configuration: Object.freeze({ ...configuration }),
    console: { debug: log, error: log, info: log, log, warn: log },
    global: persistent,
    process: Object.freeze({ env: Object.freeze({}), version: process.version }),
    require: (name) => {
      throw new Error(`Cannot find module '${name}'`);
    },
    setInterval: faster(setInterval),
    setTimeout: faster(setTimeout),
  };
}

// Hosts that a test gives a server of its own.
function routed(url, routes) {
  const [from, to] = Object.entries(routes).find(([host]) => url.startsWith(`${host}/`)) ?? ['', ''];
  return to + url.slice(from.length);
}
