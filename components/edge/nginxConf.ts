import { ports } from "../names";
import { proxySeconds } from "./deadlines";
import { type ClientArgs, clientDirectives, clientVariable } from "./nginxClient";
import { type CorsArgs, corsMap } from "./nginxCors";
import { errorMaps, errorPages } from "./nginxErrors";
import { statusServer } from "./nginxExporter";
import { certificateVariable, listeners, redirect } from "./nginxListeners";

export interface NginxConfArgs extends ClientArgs, CorsArgs {
  /** Host name that resolves to one address an api pod. */
  upstream: string;
  /** Host name or address of the cluster's DNS. */
  resolver: string;
  /** The longest time that the api waits for a picture, in seconds. */
  maxWaitSeconds: number;
  /** Largest body of a request, as nginx writes sizes. */
  maxBody: string;
  /** Largest picture to draw from, in MiB. */
  maxInput: number;
}

/**
 * nginx.conf of the load balancer.
 * https://nginx.org/en/docs/http/ngx_http_upstream_module.html#resolve: `resolve` needs a zone and
 * nginx 1.27.3 or newer. `proxy_next_upstream` leaves out `non_idempotent`: a POST that was sent
 * is never sent again.
 */
export function renderNginxConf({ upstream, resolver, ...args }: NginxConfArgs): string {
  const patience = `${proxySeconds(args.maxWaitSeconds)}s`;
  const client = clientVariable(args);
  return `worker_processes auto;
pid /tmp/nginx.pid;
error_log stderr warn;
worker_shutdown_timeout ${patience};
worker_rlimit_nofile 8192;

events {
    worker_connections 4096;
}

http {
    client_body_temp_path /tmp/client_body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;

    server_tokens off;
    client_max_body_size ${args.maxBody};
    client_header_timeout 10s;
    client_body_timeout 10s;
    send_timeout 30s;
    reset_timedout_connection on;
    keepalive_timeout 75s;

    # As the api judges one: a client may bring an id of its own.
    map $http_x_request_id $id {
        default $request_id;
        "~^[A-Za-z0-9._-]{1,128}$" $http_x_request_id;
    }

    # The api answers with its place in a trace, where there is one.
    map $upstream_http_traceresponse $trace_id {
        default "";
        "~^00-(?<trace>[0-9a-f]{32})-" $trace;
    }
${indent([...errorMaps, ...corsMap(args), ...clientDirectives(args), ...certificateVariable(args), ...redirect(args), ...statusServer], 4)}

    log_format json escape=json
        '{"time":"$time_iso8601","request_id":"$id","ray":"$http_cf_ray","client":"${client}",'
        '"method":"$request_method","path":"$uri","status":$status,"bytes":$body_bytes_sent,'
        '"seconds":$request_time,"upstream":"$upstream_addr","task_id":"$upstream_http_x_task_id","trace_id":"$trace_id","upstream_seconds":"$upstream_response_time"}';
    access_log /dev/stdout json;

    resolver ${resolver} valid=5s ipv6=off;

    upstream aigc_backend {
        zone aigc_backend 256k;
        least_conn;
        server ${upstream}:${ports.http} resolve weight=1 max_fails=3;
        keepalive 32;
    }

    server {
${indent(listeners(args), 8)}

        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $http_host;
        proxy_set_header X-Real-IP ${client};
        proxy_set_header X-Forwarded-For ${client};
        proxy_set_header X-Request-ID $id;
        proxy_connect_timeout 5s;
        proxy_read_timeout 60s;

${indent(errorPages(args), 8)}

        location = /nginx-health {
            access_log off;
            return 200 "ok\\n";
        }

        location / {
            proxy_pass http://aigc_backend;
        }

        location /api/generate {
            proxy_pass http://aigc_backend;
            proxy_send_timeout ${patience};
            proxy_read_timeout ${patience};
        }

        location /v1/images/generations {
            proxy_pass http://aigc_backend;
            proxy_send_timeout ${patience};
            proxy_read_timeout ${patience};
        }

        location /api/inputs {
            proxy_pass http://aigc_backend;
            client_max_body_size ${args.maxInput}m;
        }

        # Image, mask, and the words beside them.
        location /v1/images/edits {
            proxy_pass http://aigc_backend;
            client_max_body_size ${editMebibytes(args.maxInput)}m;
            proxy_send_timeout ${patience};
            proxy_read_timeout ${patience};
        }

        # The api refuses what would be a picture to vary, whatever its size, and never reads it.
        location /v1/images/variations {
            proxy_pass http://aigc_backend;
            client_max_body_size 64m;
            proxy_request_buffering off;
        }

        location ~ ^/api/tasks/[^/]+/events$ {
            proxy_pass http://aigc_backend;
            proxy_buffering off;
        }
    }
}
`;
}

/** As docker/service/api/middleware.py has it. */
const editMebibytes = (maxInput: number) => 2 * maxInput + 1;

const indent = (lines: string[], by: number) =>
  lines.map((line) => line && `${" ".repeat(by)}${line}`).join("\n");
