import type { Website } from './resources.ts';

/** Where the server finds its files. */
export const pageFolder = '/srv/website';
export const configFolder = '/etc/website';
export const httpPort = 8080;
export const healthPath = '/healthz';

/** What the API server takes as a name of an object; nothing of it has a meaning in a path or to nginx. */
const objectName = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** Where the Website is found, below its host. Throws TypeError when a name isn't one that the API server gives. */
export function pathOf({ metadata: { name, namespace = '' } }: Website): string {
  for (const part of [namespace, name]) {
    if (!objectName.test(part)) throw new TypeError(`${JSON.stringify(part)} is not the name of an object`);
  }
  return `/${namespace}/${name}`;
}

/** The whole configuration of a Website's nginx, which runs as nobody in particular and can write to /tmp only. */
export function nginxConf(website: Website): string {
  const path = pathOf(website);
  return `worker_processes 1;
pid /tmp/nginx.pid;
error_log /dev/stderr warn;
events {}
http {
  access_log /dev/stdout;
  server_tokens off;
  client_body_temp_path /tmp/client-body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  types { text/html html; }
  server {
    listen ${httpPort};
    root ${pageFolder};
    add_header Content-Security-Policy "default-src 'none'; style-src 'unsafe-inline'";
    location = "${healthPath}" { access_log off; return 204; }
    location = "${path}" { try_files /index.html =404; }
    location = "${path}/" { try_files /index.html =404; }
    location / { return 404; }
  }
}
`;
}
