import { X509Certificate } from 'node:crypto';
import { type ClientRequest, type IncomingMessage, request as plain } from 'node:http';
import { request as secured } from 'node:https';
import type { PeerCertificate } from 'node:tls';
import { type ErrorCode, GatewayError } from '../errors.ts';

/** A gateway in another process, and what it is to be shown. */
export interface Remote {
  /** 'http://127.0.0.1:7380' */
  url: string;
  token?: string | undefined;
  /** shown only to a gateway that asks for one */
  spareToken?: string | undefined;
  /** certificates, PEM, that may have signed the gateway's; default those of the system */
  ca?: string | undefined;
  /** the gateway's own certificate, PEM: then its name does not count */
  pinned?: string | undefined;
}

/** Options of `node:tls` for a gateway. */
export function tlsOf({ ca, pinned }: Remote): object {
  if (pinned === undefined) return ca === undefined ? {} : { ca };
  const { raw } = new X509Certificate(pinned);
  return {
    ca: pinned,
    allowPartialTrustChain: true,
    checkServerIdentity: (_name: string, peer: PeerCertificate) =>
      raw.equals(peer.raw) ? undefined : new Error('it shows another certificate'),
  };
}

/**
 * Headers that show a token.
 *
 * @throws GatewayError 'not-allowed' where it would travel in clear to another machine
 */
export function shown(url: string, token: string | undefined): { authorization?: string } {
  if (token === undefined) return {};
  const { protocol, hostname } = new URL(url);
  if (protocol === 'http:' && !/^(localhost|127\..*|\[::1\])$/.test(hostname)) {
    throw new GatewayError('not-allowed', `a token is not sent in clear to ${hostname}`, {
      hint: 'ask the gateway by https',
    });
  }
  return { authorization: `Bearer ${token}` };
}

/**
 * Asks a gateway.
 *
 * @param remote the gateway
 * @param path below /api, with its query
 * @param body sent as JSON by POST; without one it is a GET
 * @returns its answer
 * @throws GatewayError what the gateway threw; 'not-running' if none answers, 'bad-tls' if it is not
 *   trusted
 */
export async function ask<T>(remote: Remote, path: string, body?: object): Promise<T> {
  const { token, spareToken } = remote;
  let answer = await send(remote, `/api${path}`, body, token);
  if (answer.status === 401 && token === undefined && spareToken !== undefined) {
    answer = await send(remote, `/api${path}`, body, spareToken);
  }
  const json = parsed(answer.text);
  if (answer.status < 300 && json !== undefined) return json as T;
  const { error } = (json ?? {}) as {
    error?: { code: ErrorCode; message: string; hint?: string };
  };
  if (error === undefined) {
    throw new GatewayError('not-running', `what answers at ${remote.url} is no gateway`, {
      hint: 'name the gateway: --gateway URL',
    });
  }
  throw new GatewayError(error.code, error.message, { hint: error.hint });
}

/**
 * Asks a gateway whether it can do its work.
 *
 * @returns its problems, one line each; none where it is ready
 * @throws GatewayError as {@link ask}
 */
export async function askReadiness(remote: Remote): Promise<string[]> {
  const { text } = await send(remote, '/readyz', undefined, undefined);
  const { problems } = (parsed(text) ?? {}) as { problems?: string[] };
  if (problems !== undefined) return problems;
  throw new GatewayError('not-running', `what answers at ${remote.url} is no gateway`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function send(
  remote: Remote,
  path: string,
  body: object | undefined,
  token: string | undefined,
): Promise<{ status: number; text: string }> {
  const { url } = remote;
  const json = body && JSON.stringify(body);
  const headers = {
    ...shown(url, token),
    ...(json !== undefined && {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(json),
    }),
  };
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void => reject(unreachable(url, cause));
    const take = (response: IncomingMessage): void => {
      const chunks: Buffer[] = [];
      response.on('error', fail);
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          text: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    };
    const options = { method: body === undefined ? 'GET' : 'POST', headers, agent: false };
    let request: ClientRequest;
    try {
      const whole = new URL(url + path);
      request =
        whole.protocol === 'https:'
          ? secured(whole, { ...options, ...tlsOf(remote) }, take)
          : plain(whole, options, take);
    } catch (cause) {
      return fail(cause as Error);
    }
    request.on('error', fail);
    request.end(json);
  });
}

/** Codes of OpenSSL and Node for a certificate that is not trusted. */
const UNTRUSTED = /^(ERR_TLS|CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO|INVALID_CA|HOSTNAME)/;

/** Why a gateway cannot be asked, in the gateway's own words. */
export function unreachable(url: string, cause: Error): GatewayError {
  const { code = '' } = cause as NodeJS.ErrnoException;
  if (UNTRUSTED.test(code) || cause.message.includes('another certificate')) {
    return new GatewayError('bad-tls', `${url} is not trusted: ${cause.message.split('\n')[0]}`, {
      cause,
      hint: 'name who signed its certificate: --ca FILE; and ask it by a name that stands in it',
    });
  }
  const isOther = code === 'EPROTO' || code === 'ECONNRESET' || code.startsWith('HPE_');
  return new GatewayError('not-running', `no gateway answers at ${url}`, {
    cause,
    hint: isOther
      ? `is it ${url.startsWith('https') ? 'http' : 'https'}? name it: --gateway URL`
      : 'start one: npm start; or name another: --gateway URL',
  });
}
