/**
 * What other people's programs and services take and sell, each with where they say so. It holds
 * no choice of ours; test/unit/vendors.test.ts holds what is declared against it.
 */

/** https://github.com/cloudflare/cloudflared/blob/2026.8.2/connection/connection.go, MaxGracePeriod */
export const cloudflaredMaxGraceSeconds = 180;
