// A stand-in for the container in which Auth0 runs a custom database script.
//
// One Sandbox is one container: a child process that lives over many executions, keeps `global` between them,
// and is killed when an execution passes its limit (20 s at Auth0). See ../README.md for what is known and what is not.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const CONTAINER = fileURLToPath(new URL('./container.mjs', import.meta.url));

export const LIMIT_MS = 20_000; // [DOC] about 20 s an execution
export const SIZE_LIMIT = 100 * 1024; // [DOC] a script must not exceed 100 KB

export class Sandbox {
  #child;

  constructor({ limitMs = LIMIT_MS } = {}) {
    this.limitMs = limitMs;
  }

  /**
   * Runs one script once and tells everything that happened, when the script has come to rest or was killed.
   *
   * - `context`: when given, it is the argument before the callback (`enable_script_context`).
   * - `speed`: the script's timers run that much faster; `fetch` does not.
   * - `routes`: `{ 'https://host': 'http://127.0.0.1:1' }`, where `fetch` goes instead.
   * - `callbackThrows`: Auth0's side of the callback throws after it took the answer.
   */
  async run({ source, args, configuration = {}, context, speed = 1, callbackThrows = false, routes = {} }) {
    refuseUnfit(source, configuration);
    const child = (this.#child ??= fork(CONTAINER, { execArgv: [], serialization: 'advanced' }));
    const report = { calls: [], console: [], threw: null, unhandled: [], started: performance.now(), killed: false };

    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        report.killed = true;
        this.#child = undefined;
        child.kill('SIGKILL');
      }, this.limitMs);
      const finish = (settle) => {
        clearTimeout(timer);
        child.removeAllListeners();
        settle();
      };
      child.on('message', (event) => {
        if (event.kind === 'rest') finish(resolve);
        else if (event.kind === 'broken') finish(() => reject(new UnfitScript(event.message)));
        else if (event.kind === 'call') report.calls.push({ ...event.call, atMs: performance.now() - report.started });
        else if (event.kind === 'threw') report.threw = event.error;
        else if (event.kind === 'unhandled') report.unhandled.push(event.error);
        else if (event.kind === 'console') report.console.push(event.text);
      });
      child.on('exit', () => {
        this.#child = undefined;
        finish(report.killed ? resolve : () => reject(new Error('the container died')));
      });
      child.send({ source, args, configuration, context, speed, callbackThrows, routes });
    });
    report.elapsedMs = performance.now() - report.started;
    return conclude(report);
  }

  close() {
    this.#child?.kill();
    this.#child = undefined;
  }
}

/** [DOC] As many containers as run at a time, with no word on which takes the next execution. */
export class Containers {
  #idle = [];
  #all = [];

  async run(order) {
    const container = this.#idle.pop() ?? this.#all[this.#all.push(new Sandbox()) - 1];
    try {
      return await container.run(order);
    } finally {
      this.#idle.push(container);
    }
  }

  close() {
    for (const container of this.#all) container.close();
  }
}

/** The script would not run at Auth0 at all. */
export class UnfitScript extends Error {
  name = 'UnfitScript';
}

/** What a script did wrong, whatever it answered. A script that behaves has none. */
export const Fault = Object.freeze({
  CALLED_AGAIN: 'called back more than once',
  NEVER_CALLED: 'never called back',
  RAN_ON: 'ran on after its call back until it was killed',
  THREW: 'threw',
  TIMED_OUT: 'was killed before it called back',
  UNHANDLED: 'left a rejection or an exception unhandled',
});

// The first call counts. [INFER] from Auth0's "unpredictable results" for a second one; here it is a fault besides.
function conclude(report) {
  const faults = [];
  if (report.calls.length > 1) faults.push(Fault.CALLED_AGAIN);
  if (report.calls.length === 0) faults.push(report.killed ? Fault.TIMED_OUT : Fault.NEVER_CALLED);
  if (report.calls.length > 0 && report.killed) faults.push(Fault.RAN_ON);
  if (report.threw) faults.push(Fault.THREW);
  if (report.unhandled.length > 0) faults.push(Fault.UNHANDLED);
  const first = report.calls[0];
  return {
    ...report,
    faults,
    // What reaches Auth0 [DOC]: a thrown error and a silence are errors, too.
    error: first ? first.error : (report.threw ?? { name: 'Error', message: SILENCE }),
    result: first?.result,
  };
}

const SILENCE = 'Request to Webtask exceeded allowed execution time'; // [DOC]

function refuseUnfit(source, configuration) {
  if (Buffer.byteLength(source) > SIZE_LIMIT) throw new UnfitScript('larger than 100 KB');
  for (const [name, value] of Object.entries(configuration)) {
    if (typeof value !== 'string') throw new TypeError(`configuration.${name} is not a string`);
  }
}
