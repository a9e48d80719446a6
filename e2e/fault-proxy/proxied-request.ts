import type { IncomingMessage } from 'node:http';

export type RequestKind =
  | 'get'
  | 'list'
  /** A further page of a list. */
  | 'page'
  | 'watch'
  /** A watch that begins with the objects there are. */
  | 'watch-list'
  | 'create'
  | 'update'
  | 'patch'
  | 'delete'
  | 'other';

/** What the proxy knows of a request. */
export interface ProxiedRequest {
  kind: RequestKind;
  method: string;
  path: string;
  query: URLSearchParams;
  /** The bearer token that it shows. */
  token: string | undefined;
}

export function proxiedRequest({ method = 'GET', url = '/', headers }: IncomingMessage): ProxiedRequest {
  const { pathname: path, searchParams: query } = new URL(url, 'https://api-server');
  const [, token] = /^Bearer (.+)$/.exec(headers.authorization ?? '') ?? [];
  return { kind: kindOf(method, path, query), method, path, query, token };
}

const writes: Record<string, RequestKind> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

function kindOf(method: string, path: string, query: URLSearchParams): RequestKind {
  const parts = resourceParts(path);
  if (parts.length === 0) return 'other';
  if (method !== 'GET') return writes[method] ?? 'other';
  if (query.get('watch') === 'true')
    return query.get('sendInitialEvents') === 'true' ? 'watch-list' : 'watch';
  if (parts.length > 1) return 'get';
  return query.has('continue') ? 'page' : 'list';
}

/** Resource, name and subresource, as far as the path has them: `/api/v1/namespaces/NS/pods/NAME/status`. */
function resourceParts(path: string): string[] {
  const [root, ...parts] = path.split('/').filter((part) => part !== '');
  if (root !== 'api' && root !== 'apis') return [];
  const behindVersion = parts.slice(root === 'api' ? 1 : 2);
  const inNamespace = behindVersion[0] === 'namespaces' && behindVersion.length > 2;
  return inNamespace ? behindVersion.slice(2) : behindVersion;
}
