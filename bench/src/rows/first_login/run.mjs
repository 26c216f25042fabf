// Runs one log-in by a script, in a process that has done nothing before: node run.mjs SCRIPT LOGIN PASSWORD,
// with the connection's configuration as JSON on stdin. Prints how long the script's function took, and its answer.
import { readFileSync } from 'node:fs';

const [script, login, password] = process.argv.slice(2);
const configuration = JSON.parse(readFileSync(0, 'utf8'));
const globals = {
  configuration,
  UnauthorizedError: class extends Error {},
  WrongUsernameOrPasswordError: class extends Error {},
};
const source = `${readFileSync(script, 'utf8')}\nreturn login;`;
const run = new Function(...Object.keys(globals), source)(...Object.values(globals));

const began = performance.now();
run(login, password, (error, profile) => {
  const ms = performance.now() - began;
  process.stdout.write(JSON.stringify({ ms, error: error ? String(error.message) : null, profile }));
});
