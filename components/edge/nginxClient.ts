import type { ListenerArgs } from "./nginxListeners";

/** Who says what a client's address is; else it is the connection's. */
export interface ClientArgs extends ListenerArgs {
  /** Networks of the proxies in front, which are believed. */
  proxies: string[];
  /** The header in which they say it, unless connections begin with a PROXY header. */
  clientHeader: "CF-Connecting-IP" | "X-Forwarded-For";
}

/**
 * For `http`: whom to believe. With X-Forwarded-For the client is the last address that is no proxy's.
 * https://nginx.org/en/docs/http/ngx_http_realip_module.html
 */
export function clientDirectives({ proxies, tls, proxyProtocol, clientHeader }: ClientArgs) {
  if (tls === "cloudflare") return byCertificate;
  if (proxies.length === 0) return [];
  return [
    ...proxies.map((network) => `set_real_ip_from ${network};`),
    `real_ip_header ${proxyProtocol ? "proxy_protocol" : clientHeader};`,
    "real_ip_recursive on;",
  ];
}

/**
 * Cloudflare overwrites the header, and only Cloudflare has the certificate: so load balancers and
 * nodes on the way may show addresses of their own.
 * https://developers.cloudflare.com/fundamentals/reference/http-headers/#cf-connecting-ip
 */
const byCertificate = [
  'map "$ssl_client_verify $http_cf_connecting_ip" $client {',
  "    default $remote_addr;",
  '    "~^SUCCESS (?<told>[0-9A-Fa-f.:]+)$" $told;',
  "}",
];

/** The variable that holds the client's address. */
export const clientVariable = ({ tls }: ClientArgs) =>
  tls === "cloudflare" ? "$client" : "$remote_addr";
