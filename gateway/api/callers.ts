import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Access, Refused } from '../access.ts';
import { GatewayError } from '../errors.ts';
import { type Role, suffices } from '../roles.ts';
import type { Caller } from '../views/token.ts';
import type { Names } from './names.ts';
import { createThrottle } from './throttle.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** the least role that may; 'anyone' needs no token. Every route has to say */
    role?: Role | 'anyone';
  }
  interface FastifyRequest {
    /** who asks; null where nobody showed anything, on a route for anyone */
    caller: Caller | null;
  }
}

/** Who may come in, and how. */
export interface Door {
  /** tells who shows a token or a cookie; without it there is the loopback alone */
  access?: Access | undefined;
  /** also asks for a token on the loopback */
  requireToken: boolean;
  names: Names;
  isTls: boolean;
}

/** Name of the cookie; behind TLS no other host and no plain page can set it. */
export const cookieName = (isTls: boolean): string => (isTls ? '__Host-whetstone' : 'whetstone');

const words: Record<Refused, string> = {
  unknown: 'this token is none of this gateway',
  revoked: 'this token was revoked',
  expired: 'this token has expired',
};

/** @throws GatewayError 'not-signed-in' */
function refuse(why: Refused): never {
  throw new GatewayError('not-signed-in', words[why], {
    hint: 'an admin makes one: whetstone tokens add NAME --role ROLE',
  });
}

/**
 * Finds out who asks, and holds every route to its role.
 *
 * @param app what is guarded; `@fastify/cookie` is there already
 * @param door who may come in
 * @returns tried: tries a token of who signs in, with wrong ones counted; mayStill: whether who opened a
 *   socket would still be let in
 */
export function addCallers(
  app: FastifyInstance,
  { access, requireToken, names, isTls }: Door,
): {
  tried: <T extends object>(request: FastifyRequest, tryIt: () => T | Refused) => T;
  mayStill: (request: FastifyRequest) => boolean;
} {
  const throttle = createThrottle(Date.now);

  function tried<T extends object>({ ip }: FastifyRequest, tryIt: () => T | Refused): T {
    // who has a right token is let in, whoever else guesses at the same address: behind a proxy all have one
    const found = tryIt();
    if (typeof found === 'object') return found;
    const waitMs = throttle.waitMs(ip);
    access?.refused(ip, waitMs > 0 ? 'throttled' : found);
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000);
      throw new GatewayError('too-many-requests', `too many wrong tokens from ${ip}`, {
        hint: `wait ${seconds} s`,
      });
    }
    // who has a right token that is over guesses nothing
    if (found === 'unknown') throttle.wrong(ip);
    return refuse(found);
  }

  function callerOf(request: FastifyRequest): Caller | null {
    const { authorization } = request.headers;
    if (authorization !== undefined) {
      const token = /^Bearer (\S+)$/i.exec(authorization)?.[1] ?? '';
      const { name, role } = tried(request, () => access?.ofToken(token) ?? 'unknown');
      return { name, role, via: 'token' };
    }
    const cookie = request.cookies[cookieName(isTls)];
    const holder = cookie === undefined ? undefined : access?.ofCookie(cookie);
    if (holder !== undefined) return { name: holder.name, role: holder.role, via: 'session' };
    if (requireToken || !names.isLocal(request)) return null;
    return { name: '', role: 'admin', via: 'loopback' };
  }

  app.decorateRequest('caller', null);
  app.addHook('onRoute', ({ config, method, url }) => {
    if (config?.role === undefined) throw new TypeError(`${method} ${url} does not say who may`);
  });
  app.addHook('onRequest', async (request) => {
    const { role } = request.routeOptions.config;
    if (role === 'anyone' || role === undefined) return; // undefined: there is no such route
    request.caller = callerOf(request);
    if (request.caller === null) {
      throw new GatewayError('not-signed-in', 'this gateway wants a token', {
        hint: 'Authorization: Bearer TOKEN; on the command line --token-file FILE or WHETSTONE_TOKEN',
      });
    }
    if (!suffices(request.caller.role, role)) {
      const { name, role: has } = request.caller;
      throw new GatewayError('too-small-role', `this is for ${role}s; '${name}' is ${has}`, {
        hint: `an admin makes a token that may: whetstone tokens add NAME --role ${role}`,
      });
    }
  });
  return {
    tried,
    mayStill(request) {
      try {
        return callerOf(request) !== null;
      } catch (error) {
        if (error instanceof GatewayError) return false;
        throw error;
      }
    },
  };
}
