import { cloudflarePlans, cloudflareWaitSeconds } from "../../components/vendors";
import { cloudflare } from "./conditions";
import { type Rule, rule, type Values } from "./rule";

export const edgeRules: Rule[] = [
  rule(["nginx"], ({ nginx: { serviceType, nodePort } }) => [
    nodePort > 0 &&
      (serviceType !== "NodePort" || nodePort < 30000) && {
        key: "nginx.nodePort",
        is: String(nodePort),
        but: "must be 30000-32767 and stand beside nginx.serviceType NodePort",
        fix: "rm --path nginx.nodePort",
      },
  ]),
  rule(["cloudflare", "nginx"], (config) => {
    const { serviceType } = config.nginx;
    const wanted = { off: serviceType, tunnel: "ClusterIP", proxied: "LoadBalancer" };
    const fitting = wanted[config.cloudflare.mode];
    return [
      serviceType !== fitting && {
        key: "nginx.serviceType",
        is: JSON.stringify(serviceType),
        but: `must be ${fitting} where cloudflare.mode is ${config.cloudflare.mode}`,
        fix: `set --path nginx.serviceType ${fitting}`,
      },
    ];
  }),
  rule(["cloudflare", "api"], (config) => [
    cloudflare.holds(config as Values) &&
      config.api.maxWaitSeconds > cloudflareWaitSeconds && {
        key: "api.maxWaitSeconds",
        is: String(config.api.maxWaitSeconds),
        but: `must not be above ${cloudflareWaitSeconds} behind Cloudflare, which gives up soon after`,
        fix: `set --path api.maxWaitSeconds ${cloudflareWaitSeconds}`,
      },
  ]),
  rule(["cloudflare"], ({ cloudflare: { mode, zoneRules, plan, rateLimit } }) => {
    const { rateLimitSeconds } = cloudflarePlans[plan];
    const least = 60 / rateLimitSeconds;
    return [
      mode !== "off" &&
        zoneRules &&
        rateLimit < least && {
          key: "cloudflare.rateLimit",
          is: String(rateLimit),
          but: `must be ${least} or more on the plan ${plan}, which counts over ${rateLimitSeconds} s`,
          fix: `set --path cloudflare.rateLimit ${least}`,
        },
    ];
  }),
  rule(["cloudflare", "endpoint", "nginx"], (config) => {
    const { secretName, issuer } = config.nginx.tls;
    const https = [
      cloudflare.holds(config as Values) && "behind Cloudflare",
      (secretName || issuer) && "where nginx.tls is set",
    ].find(Boolean);
    return [
      !!https &&
        !config.endpoint.startsWith("https://") && {
          key: "endpoint",
          is: JSON.stringify(config.endpoint),
          but: `must begin with https:// ${https}`,
          fix: "set endpoint https://HOST",
        },
    ];
  }),
  rule(["nginx"], ({ nginx: { tls } }) => [
    tls.secretName !== "" &&
      tls.issuer !== "" && {
        key: "nginx.tls.secretName",
        is: JSON.stringify(tls.secretName),
        but: `nginx.tls.issuer, ${tls.issuer}, makes a Secret of its own`,
        fix: "rm --path nginx.tls.secretName",
      },
  ]),
];
