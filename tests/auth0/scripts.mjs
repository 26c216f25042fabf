// The scripts under test, as `idbridge auth0 export` writes them: read from $IDBRIDGE_AUTH0_EXPORT (the folder of one
// connection) if that is set, else from the sources that the command embeds.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = process.env.IDBRIDGE_AUTH0_EXPORT ?? fileURLToPath(new URL('../../src/auth0', import.meta.url));

const read = (name) => readFileSync(`${FOLDER}/${name}`, 'utf8');

export const SCRIPTS = Object.freeze({ get_user: read('get_user.js'), login: read('login.js') });
export const DATABASE_JSON = read('database.json');
export const EXPORTED = process.env.IDBRIDGE_AUTH0_EXPORT !== undefined;

/** The arguments that Auth0 gives each script. */
export const argumentsOf = (script, identifier, password) =>
  script === 'login' ? [identifier, password] : [identifier];
