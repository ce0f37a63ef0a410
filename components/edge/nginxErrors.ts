/**
 * nginx's own errors, in the api's words: problem documents (RFC 9457), under /v1 OpenAI's error
 * objects. https://nginx.org/en/docs/http/ngx_http_core_module.html#error_page
 */
import { type CorsArgs, corsHeaders } from "./nginxCors";

interface Fault {
  /** Of the problem's type, as the api names it. */
  code: string;
  /** The status, as RFC 9110 and RFC 6585 name it. */
  title: string;
  detail: string;
  /** Seconds after which it may work; only where the request had no effect. */
  retryAfter?: number;
}

const overload = "The service is out of reach.";

const faults: Record<number, Fault> = {
  400: { code: "bad-request", title: "Bad Request", detail: "This is no well-formed request." },
  404: { code: "not-found", title: "Not Found", detail: "There is nothing at this address." },
  405: { code: "method-not-allowed", title: "Method Not Allowed", detail: "No such method here." },
  413: { code: "too-large", title: "Content Too Large", detail: "The body is too long." },
  414: { code: "uri-too-long", title: "URI Too Long", detail: "The address is too long." },
  431: {
    code: "headers-too-large",
    title: "Request Header Fields Too Large",
    detail: "The headers are too long.",
  },
  500: { code: "internal-error", title: "Internal Server Error", detail: "Something is wrong." },
  501: { code: "not-implemented", title: "Not Implemented", detail: "No such transfer coding." },
  502: { code: "unavailable", title: "Bad Gateway", detail: overload, retryAfter: 5 },
  503: { code: "unavailable", title: "Service Unavailable", detail: overload, retryAfter: 5 },
  504: { code: "timeout", title: "Gateway Timeout", detail: "The service took too long." },
  505: { code: "http-version", title: "HTTP Version Not Supported", detail: "Send HTTP/1.1." },
};

/** Statuses that nginx has for itself alone, and what a client is told instead. */
const internal = { 494: 431, 495: 400, 496: 400, 497: 400 };

const map = (variable: string, value: (fault: Fault) => string | number | undefined) => [
  `map $status $${variable} {`,
  ...Object.entries(faults).flatMap(([status, fault]) => {
    const text = value(fault);
    return text === undefined ? [] : [`    ${status} "${text}";`];
  }),
  "}",
];

/** For `http`: what the documents say, by status. */
export const errorMaps = [
  // Of a request that nginx could not read there is no $uri.
  "map $request $problem {",
  "    default /problem;",
  '    "~^\\S+ (https?://[^/ ]+)?/v1/" /problem/openai;',
  "}",
  ...map("problem_code", ({ code }) => code),
  ...map("problem_title", ({ title }) => title),
  ...map("problem_detail", ({ detail }) => detail),
  ...map("problem_retry_after", ({ retryAfter }) => retryAfter),
  "map $status $problem_kind {",
  "    default invalid_request_error;",
  "    ~^5 server_error;",
  "}",
];

/** For `server`: each error as a document that has the request's id, the variable `$id`. */
export const errorPages = (args: CorsArgs) => [
  `error_page ${Object.keys(faults).join(" ")} $problem;`,
  ...Object.entries(internal).map(([own, told]) => `error_page ${own} =${told} $problem;`),
  "",
  ...page(args, "/problem", "application/problem+json", {
    type: "urn:problem:$problem_code",
    title: "$problem_title",
    status: "$status",
    detail: "$problem_detail",
    request_id: "$id",
  }),
  "",
  ...page(args, "/problem/openai", "application/json", {
    error: {
      message: "$problem_detail",
      type: "$problem_kind",
      param: null,
      code: "$problem_code",
    },
  }),
];

function page(args: CorsArgs, path: string, mediaType: string, document: object): string[] {
  const text = JSON.stringify(document).replace('"$status"', "$status");
  return [
    `location = ${path} {`,
    "    internal;",
    `    default_type ${mediaType};`,
    "    add_header X-Request-Id $id always;",
    "    add_header X-Content-Type-Options nosniff always;",
    "    add_header Cache-Control no-store always;",
    "    add_header Retry-After $problem_retry_after always;",
    ...corsHeaders(args).map((line) => `    ${line}`),
    // The status stays that of the error.
    `    return 200 '${text}';`,
    "}",
  ];
}
