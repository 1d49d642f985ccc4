/** Where the page is: `#/device/watch-1?range=day` is page 'device', item 'watch-1', query range=day. */

/** @typedef {{ page: string, item: string | null, query: URLSearchParams }} Route */

/** @returns {Route} */
export function here() {
  const [path, search = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [page = '', ...rest] = path.split('/');
  return {
    page: page === '' ? 'fleet' : page,
    item: rest.length === 0 ? null : decodeURIComponent(rest.join('/')),
    query: new URLSearchParams(search),
  };
}

/**
 * The address of a page.
 *
 * @param {string} page
 * @param {string | null} [item]
 * @param {Record<string, string>} [query] what is '' is left out
 */
export function link(page, item = null, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== '');
  const search = given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
  return `#/${page}${item === null ? '' : `/${encodeURIComponent(item)}`}${search}`;
}

/**
 * Changes what the page shows without another step in the history: filters, sorting.
 *
 * @param {Record<string, string>} change of the query
 */
export function adjust(change) {
  const { page, item, query } = here();
  const next = { ...Object.fromEntries(query), ...change };
  history.replaceState(null, '', link(page, item, next));
}
