import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import Type, { type Static } from 'typebox';
import { Failure } from '../views/failure.ts';
import { byName } from '../views/schema.ts';
import { shareViews } from './components.ts';
import { gives } from './route.ts';

/** More is in it than is told here: see the specification. */
const open = { additionalProperties: true } as const;

/** An OpenAPI document, as far as the gateway itself looks at it. */
export const OpenApi = Type.Object(
  {
    openapi: Type.String(),
    paths: byName(
      byName(
        Type.Object(
          {
            summary: Type.Optional(Type.String()),
            'x-role': Type.Optional(Type.String({ description: "the least that may; 'anyone'" })),
          },
          open,
        ),
        'an operation, by method',
      ),
      'what is at a path',
    ),
  },
  open,
);
export type OpenApi = Static<typeof OpenApi>;

/**
 * Collects every route that is put later, and serves what it collected as `/api/openapi.json`.
 *
 * @param app before its routes
 * @source OpenAPI Specification 3.1
 */
export async function addOpenApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Whetstone',
        description:
          'Everything that the command line does, and the events as they come. Times are milliseconds since 1970, versions 64 hexadecimal digits, shares 0 to 1.',
        version: '1',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', description: 'whetstone tokens add' },
          session: { type: 'apiKey', in: 'cookie', name: 'whetstone' },
        },
      },
    },
    transformObject: (document) =>
      'openapiObject' in document ? shareViews(document.openapiObject) : document.swaggerObject,
    transform: ({ schema, url, route }) => {
      const role = route.config?.role ?? 'anyone';
      const { response = {}, ...rest } = (schema ?? {}) as { response?: object };
      const failures = { default: Failure };
      return {
        url,
        schema: {
          ...rest,
          response: { ...response, ...failures },
          'x-role': role,
          security: role === 'anyone' ? [] : [{ token: [] }, { session: [] }],
        } as never,
      };
    },
  });
  app.get(
    '/api/openapi.json',
    {
      config: { role: 'viewer' },
      schema: {
        summary: 'This document',
        response: { 200: gives(OpenApi, 'OpenAPI 3.1') },
      },
    },
    async () => app.swagger() as never,
  );
}
