/**
 * CORS headers of nginx's own errors, as Starlette's CORSMiddleware gives the api's: a page that may
 * call the api can read why a call failed. https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export interface CorsArgs {
  /** Origins of web pages that may call from a browser, like https://app.example; "*" for all. */
  corsOrigins: string[];
}

/** For `http`: what a request's origin is told. */
export const corsMap = ({ corsOrigins }: CorsArgs): string[] =>
  corsOrigins.length === 0
    ? []
    : [
        "map $http_origin $cors_origin {",
        ...(corsOrigins.includes("*")
          ? ['    ~. "*";']
          : corsOrigins.map((origin) => `    "${origin}" "${origin}";`)),
        "}",
      ];

/** For `location`. nginx leaves a header out whose value is empty. */
export const corsHeaders = ({ corsOrigins }: CorsArgs): string[] =>
  corsOrigins.length === 0
    ? []
    : [
        "add_header Access-Control-Allow-Origin $cors_origin always;",
        'add_header Access-Control-Expose-Headers "*" always;',
        "add_header Vary Origin always;",
      ];
