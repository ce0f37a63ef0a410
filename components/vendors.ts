/**
 * What other people's programs and services take and sell, each with where they say so. It holds
 * no choice of ours; test/unit/vendors.test.ts holds what is declared against it.
 */

/** https://github.com/cloudflare/cloudflared/blob/2026.8.2/connection/connection.go, MaxGracePeriod */
export const cloudflaredMaxGraceSeconds = 180;

/**
 * Cloudflare's own rules, which they keep up to date: the same id in each zone.
 * https://developers.cloudflare.com/waf/managed-rules/
 */
export const cloudflareManagedRuleset = "efb7b8c949ac4650a09736fc376e9aee";
