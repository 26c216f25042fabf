// auth0-deploy-cli as published, run against the double of the Management API.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const TOOL = fileURLToPath(new URL('../node_modules/auth0-deploy-cli/lib/index.js', import.meta.url));

/** The values that an owner gives. JSON within a value, since its quotes are what breaks first. */
export const VALUES = Object.freeze({
  IDBRIDGE_MANAGEMENT_DOMAIN: 'tenant.test',
  IDBRIDGE_MANAGEMENT_ID: 'client',
  IDBRIDGE_MANAGEMENT_SECRET: 'management-secret',
  IDBRIDGE_ROLES: '{"Engineering":"rol_1"}',
});

/** Imports a folder. `values` are keywords, by the environment. Gives the exit code and all that was printed. */
export async function deploy(folder, management, values, more = {}) {
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    AUTH0_ACCESS_TOKEN: 'x',
    AUTH0_DOMAIN: management.domain,
    AUTH0_INCLUDED_ONLY: '["actions","databases","triggers"]',
    NODE_EXTRA_CA_CERTS: management.certificateFile,
    ...values,
    ...more,
  };
  try {
    const done = await promisify(execFile)(process.execPath, [TOOL, 'import', '--input_file', folder], { env, timeout: 100_000 });
    return { code: 0, printed: done.stdout + done.stderr };
  } catch (error) {
    return { code: error.code, printed: `${error.stdout}${error.stderr}` };
  }
}
