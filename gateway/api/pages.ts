import { readdirSync, readFileSync } from 'node:fs';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { dirname, extname, join, relative, sep } from 'node:path';
import type { FastifyInstance } from 'fastify';

const folder = join(import.meta.dirname, '..', 'ui');
const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.ts': 'text/javascript',
  '.css': 'text/css',
};

/** A file of the dashboard, as a browser gets it. */
export interface Page {
  url: string;
  type: string;
  content: string;
}

/**
 * The dashboard's files, as they are: TypeScript without its types, and the plot library from its
 * package. Nothing else is served, so no path can lead out of the folder.
 *
 * @returns each with the address that it has below the gateway's
 */
export function dashboardPages(): Page[] {
  const own = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && extname(entry.name) in types)
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const url = `/${relative(folder, path).split(sep).join('/')}`;
      return page(url === '/index.html' ? '/' : url.replace(/\.ts$/, '.js'), path);
    });
  const plots = dirname(createRequire(import.meta.url).resolve('uplot'));
  return [
    ...own,
    page('/uplot.js', join(plots, 'uPlot.esm.js')),
    page('/uplot.css', join(plots, 'uPlot.min.css')),
  ];
}

function page(url: string, path: string): Page {
  const content = readFileSync(path, 'utf8');
  const plain = path.endsWith('.ts') ? stripTypeScriptTypes(content) : content;
  return { url, type: `${types[extname(path)]}; charset=utf-8`, content: plain };
}

/**
 * Serves the dashboard's files. They hold nothing of the gateway: whoever may not ask it anything
 * gets the page on which to sign in.
 *
 * @param app where the routes go
 */
export function addPages(app: FastifyInstance): void {
  for (const { url, type, content } of dashboardPages()) {
    app.get(
      url,
      { schema: { hide: true } as object, config: { role: 'anyone' } },
      (_request, reply) => reply.type(type).send(content),
    );
  }
}
