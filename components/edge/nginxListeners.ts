import { ports } from "../names";

/** How those who come from outside speak to nginx; pods of the cluster use plain HTTP at `ports.nginx`. */
export interface ListenerArgs {
  /** Their connections begin with a PROXY header, version 1 or 2. */
  proxyProtocol: boolean;
  tls: Tls;
}

/**
 * - `none`: plain HTTP
 * - `everybody`: TLS with the certificate in `tlsDirectory`, which may be renewed there; plain HTTP
 *   is led to it
 * - `cloudflare`: TLS, to clients with a certificate of `tlsDirectory`/ca.crt alone (Authenticated
 *   Origin Pulls)
 */
export type Tls = "none" | "everybody" | "cloudflare";

/** Where the certificates lie that TLS needs. */
export const tlsDirectory = "/etc/nginx/tls";

/** What nginx opens to the outside. */
export function publicPorts({ tls, proxyProtocol }: ListenerArgs): {
  http?: number;
  https?: number;
} {
  switch (tls) {
    case "none":
      return { http: proxyProtocol ? ports.nginxPublic : ports.nginx };
    case "everybody":
      return { http: ports.nginxPublic, https: ports.nginxTls };
    case "cloudflare":
      return { https: ports.nginxTls };
  }
}

/** For `server`: what answers requests. */
export function listeners(args: ListenerArgs): string[] {
  const { http, https } = publicPorts(args);
  const served = args.tls === "none" && http !== ports.nginx ? [listen(args, http)] : [];
  return [
    `listen ${ports.nginx};`,
    ...served,
    ...(https ? [listen(args, https, "ssl"), ...certificates[args.tls], ...session] : []),
  ];
}

/** For `http`: the server that leads plain HTTP to TLS, method and body included (RFC 9110, 308). */
export const redirect = (args: ListenerArgs): string[] =>
  args.tls === "everybody"
    ? [
        "server {",
        `    ${listen(args, publicPorts(args).http)}`,
        "    return 308 https://$host$request_uri;",
        "}",
      ]
    : [];

/**
 * For `http`: where the certificate is, as a variable, so that its files are read at each handshake
 * and a renewed one is served without a reload.
 * https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_certificate
 */
export const certificateVariable = ({ tls }: ListenerArgs): string[] =>
  tls === "everybody"
    ? ["map $ssl_server_name $certificates {", `    default ${tlsDirectory};`, "}"]
    : [];

const listen = ({ proxyProtocol }: ListenerArgs, port: number | undefined, ...options: string[]) =>
  `listen ${[port, ...options, ...(proxyProtocol ? ["proxy_protocol"] : [])].join(" ")};`;

const certificates: Record<Tls, string[]> = {
  none: [],
  everybody: [
    "ssl_certificate $certificates/tls.crt;",
    "ssl_certificate_key $certificates/tls.key;",
  ],
  cloudflare: [
    `ssl_certificate ${tlsDirectory}/tls.crt;`,
    `ssl_certificate_key ${tlsDirectory}/tls.key;`,
    `ssl_client_certificate ${tlsDirectory}/ca.crt;`,
    "ssl_verify_client on;",
  ],
};

const session = ["ssl_protocols TLSv1.2 TLSv1.3;", "ssl_session_cache shared:tls:2m;"];
