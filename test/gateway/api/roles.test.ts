import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, serveApi } from '../../../gateway/api/server.ts';
import { ROLES, type Role, suffices } from '../../../gateway/roles.ts';
import { fakeAccess, tokenOf } from './door.ts';
import { fakeCalls } from './fake-calls.ts';

interface Operation {
  summary?: string;
  'x-role'?: string;
  security?: object[];
  responses?: Record<string, { description?: string; content?: object }>;
}

let api: Api;
let operations: [string, string, Operation][];

beforeAll(async () => {
  api = await serveApi(fakeCalls(), { port: 0, access: fakeAccess(), requireToken: true });
  const headers = { authorization: `Bearer ${tokenOf('viewer')}` };
  const document = (await (await fetch(`${api.url}/api/openapi.json`, { headers })).json()) as {
    paths: Record<string, Record<string, Operation>>;
  };
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, string, Operation] => [
      method.toUpperCase(),
      path,
      operation,
    ]),
  );
});

afterAll(() => api.close());

/** Asks a route with nothing that its schema would accept: whether it is let in is decided before. */
async function status(method: string, path: string, token?: string): Promise<number> {
  const response = await fetch(api.url + path.replaceAll(/\{[^}]+\}/g, '~'), {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(method === 'POST' && { body: '{"not":"in any schema"}' }),
  });
  await response.text();
  return response.status;
}

describe('serveApi()', () => {
  it('tells of every route who may, what it does and what it answers', () => {
    expect(operations.length).toBeGreaterThan(35);
    for (const [method, path, operation] of operations) {
      const route = `${method} ${path}`;
      expect([...ROLES, 'anyone'], route).toContain(operation['x-role']);
      expect(operation.summary, route).toMatch(/^[A-Z].{5,80}[^.]$/);
      const good = Object.entries(operation.responses ?? {}).find(([code]) => /^[12]/.test(code));
      expect(good?.[1].description, route).toMatch(/.{3}/);
      expect(operation.responses, route).toHaveProperty('default');
      expect(operation.security?.length, route).toBe(operation['x-role'] === 'anyone' ? 0 : 2);
    }
  });

  it('has no open route but those that are meant to be', () => {
    const open = operations.filter(([, , { 'x-role': role }]) => role === 'anyone');
    expect(open.map(([method, path]) => `${method} ${path}`).sort()).toEqual([
      'DELETE /api/session',
      'GET /healthz',
      'GET /readyz',
      'POST /api/session',
    ]);
  });

  it('lets nobody change anything as a viewer', () => {
    const changes = operations.filter(
      ([method, , { 'x-role': role }]) => method !== 'GET' && role === 'viewer',
    );
    // it computes and keeps nothing
    expect(changes.map(([, path]) => path)).toEqual(['/api/infer']);
  });

  it('keeps every route from whoever shows nothing, or what is no token', async () => {
    for (const [method, path, { 'x-role': role }] of operations) {
      if (role === 'anyone') continue;
      expect(await status(method, path), `${method} ${path}`).toBe(401);
      expect(await status(method, path, 'revoked'), `${method} ${path}`).toBe(401);
    }
  });

  it.each(ROLES)('lets a %s into what is for it, and into nothing else', async (role) => {
    for (const [method, path, { 'x-role': needed }] of operations) {
      if (needed === 'anyone') continue;
      const found = await status(method, path, tokenOf(role));
      const route = `${method} ${path} for ${role}`;
      if (suffices(role, needed as Role)) expect([401, 403], route).not.toContain(found);
      else expect(found, route).toBe(403);
    }
  });
});
