import type { FastifyRequest } from 'fastify';

/** Names of this machine to itself, as a Host header has them. */
const LOCAL_NAMES = ['127.0.0.1', 'localhost', '[::1]'];

/** Headers of proxies: who connects is not who asks. */
const PASSED_ON =
  /^(forwarded|via|x-forwarded-.+|x-original-.+|x-real-ip|(.+-)?client-ip|.+-connecting-ip)$/;

/** Names under which the API may be asked. */
export interface Names {
  /** Whether the request is for this gateway, and not for a name that was pointed at it. */
  isOurs(request: FastifyRequest): boolean;
  /** Whether what sent it is a page of this gateway, or no page. */
  isFromUs(request: FastifyRequest): boolean;
  /** Whether it comes from this machine, on no way over a proxy. */
  isLocal(request: FastifyRequest): boolean;
}

/**
 * @param more names beside the loopback's and the address that was asked: 'box.local', or with
 *   another port than the gateway's own, behind a proxy: 'box.example:443'
 * @source DNS rebinding: Jackson et al. 2007, Protecting Browsers from DNS Rebinding Attacks
 */
export function createNames(more: readonly string[] = []): Names {
  const hasPort = (name: string): boolean => /(^[^:]+|\]):\d+$/.test(name);

  function namesOf({ socket }: FastifyRequest): string[] {
    const { localAddress = '', localPort = 0 } = socket;
    const address = localAddress.replace(/^::ffff:/, '');
    // who names an address was led here by no name server
    const own = address.includes(':') ? `[${address}]` : address;
    return [...LOCAL_NAMES, own, ...more].map((name) =>
      (hasPort(name) ? name : `${name}:${localPort}`).toLowerCase(),
    );
  }

  /** @param host as a header has it: without the port where that is the scheme's own */
  function isKnown(request: FastifyRequest, host: string): boolean {
    const known = namesOf(request);
    const asked = hasPort(host) ? [host] : [`${host}:443`, `${host}:80`];
    return asked.some((name) => known.includes(name.toLowerCase()));
  }

  return {
    isOurs: (request) => isKnown(request, request.headers.host ?? ''),
    isFromUs(request) {
      const { origin } = request.headers;
      if (origin === undefined) return true;
      const [, host] = /^https?:\/\/([^/]+)$/.exec(origin) ?? [];
      return host !== undefined && isKnown(request, host);
    },
    isLocal({ socket, headers }) {
      const isHere = /^(::ffff:)?127\.|^::1$/.test(socket.remoteAddress ?? '');
      const name = (headers.host ?? '').toLowerCase().replace(/:\d+$/, '');
      const isPassedOn = Object.keys(headers).some((header) => PASSED_ON.test(header));
      return isHere && LOCAL_NAMES.includes(name) && !isPassedOn;
    },
  };
}
