import type { FastifyInstance, FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { Access, Refused } from '../access.ts';
import { Caller, EndedView } from '../views/token.ts';
import { cookieName } from './callers.ts';
import { gives } from './route.ts';

const Token = Type.Object(
  { token: Type.String({ minLength: 1, maxLength: 200 }) },
  { additionalProperties: false },
);

/** How a browser signs in and out. */
export interface SessionOptions {
  access?: Access | undefined;
  isTls: boolean;
  /** tries a token, with wrong ones counted */
  tried: <T extends object>(request: FastifyRequest, tryIt: () => T | Refused) => T;
}

/**
 * Puts `POST /api/session`, which takes a token and sets a cookie that no script can read and no other
 * site sends, and `DELETE /api/session`, which ends it.
 *
 * @param app where the routes go
 * @source OWASP Session Management Cheat Sheet; RFC 6265bis for SameSite and the __Host- prefix
 */
export function addSession(app: FastifyInstance, { access, isTls, tried }: SessionOptions): void {
  const name = cookieName(isTls);
  const cookie = { path: '/', httpOnly: true, sameSite: 'strict', secure: isTls } as const;
  app.post<{ Body: { token: string } }>(
    '/api/session',
    {
      config: { role: 'anyone' },
      schema: {
        summary: 'Sign a browser in: a token for a cookie',
        body: Token,
        response: { 200: gives(Caller, 'who it is') },
      },
    },
    async (request, reply): Promise<Caller> => {
      const { token } = request.body;
      const signedIn = tried(request, () => access?.signIn(token) ?? 'unknown');
      const { holder, expiresAt } = signedIn;
      reply.setCookie(name, signedIn.cookie, { ...cookie, expires: new Date(expiresAt) });
      return { name: holder.name, role: holder.role, via: 'session' };
    },
  );
  app.delete(
    '/api/session',
    {
      config: { role: 'anyone' },
      schema: {
        summary: 'Sign a browser out',
        response: { 200: gives(EndedView, 'whether it was signed in') },
      },
    },
    async (request, reply): Promise<{ ended: boolean }> => {
      const text = request.cookies[name];
      if (text !== undefined) access?.signOut(text);
      reply.clearCookie(name, cookie);
      return { ended: text !== undefined };
    },
  );
}
