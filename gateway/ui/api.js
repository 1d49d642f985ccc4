/** The gateway's HTTP API. */

/**
 * What the gateway refused or could not do; `status` 0 where it did not answer, -1 where it has no part
 * in it: a fault of this page.
 */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {{ code: string, message: string, hint?: string }} error
   * @param {ErrorOptions} [options]
   */
  constructor(status, { code, message, hint }, options) {
    super(message, options);
    this.status = status;
    this.code = code;
    this.hint = hint ?? '';
  }
}

/**
 * What was caught, as one error for people: what the gateway did not say is a fault of this page.
 *
 * @param {unknown} caught
 * @returns {ApiError}
 */
export function failureOf(caught) {
  if (caught instanceof ApiError) return caught;
  const message = caught instanceof Error ? caught.message : String(caught);
  return new ApiError(-1, { code: 'bug', message }, { cause: caught });
}

/**
 * @template T the route's view
 * @param {'GET' | 'POST' | 'DELETE'} method
 * @param {string} path below /api
 * @param {object} [body] what JSON can say
 * @returns {Promise<T>} as the schema of the route has it
 * @throws {ApiError}
 */
async function ask(method, path, body) {
  let response;
  try {
    response = await fetch(`/api${path}`, {
      method,
      ...(body !== undefined && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
  } catch {
    throw new ApiError(0, { code: 'offline', message: 'The gateway does not answer.' });
  }
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer;
  const { error } = answer ?? {};
  throw new ApiError(
    response.status,
    error ?? { code: 'bug', message: `status ${response.status}` },
  );
}

/**
 * @template T the route's view, which who asks has to name: types of `gateway/views`
 * @param {string} path below /api
 * @param {Record<string, string | number | boolean | undefined>} [query] what is undefined is left out
 * @returns {Promise<T>}
 */
export function get(path, query = {}) {
  const given = Object.entries(query)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => [name, String(value)]);
  return ask('GET', given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`);
}

/**
 * @template T as of {@link get}
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<T>}
 */
export const post = (path, body = {}) => ask('POST', path, body);

/** @param {string} path @returns {Promise<unknown>} */
export const remove = (path) => ask('DELETE', path, {});
export const at = encodeURIComponent;
