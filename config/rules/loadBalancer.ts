import { isGkeClass, isNlb, nlbAnnotation, readNlb } from "../../components/vendors";
import { keyArgument } from "../keyPath";
import { type Rule, rule } from "./rule";

const annotate = (suffix: string, value: string) =>
  `set ${keyArgument(["nginx", "serviceAnnotations", nlbAnnotation(suffix)])} ${value}`;

/** What the load balancers of clouds do with a connection, before what nginx expects of it. */
export const loadBalancerRules: Rule[] = [
  rule(["nginx", "cloudflare"], ({ nginx, cloudflare: { mode } }) => {
    const { loadBalancerClass, serviceAnnotations, proxyProtocol } = nginx;
    if (!isNlb(loadBalancerClass, serviceAnnotations)) return [];
    const nlb = readNlb(serviceAnnotations);
    const attribute = (name: string) =>
      annotate("target-group-attributes", [...nlb.attributes, `${name}=true`].join(","));
    return [
      mode === "proxied" &&
        !nlb.internetFacing && {
          key: "nginx.serviceAnnotations",
          is: JSON.stringify(serviceAnnotations),
          but: "an NLB is internal unless they say otherwise, where Cloudflare can't reach it",
          fix: annotate("scheme", "internet-facing"),
        },
      proxyProtocol !== nlb.proxyProtocol && {
        key: "nginx.proxyProtocol",
        is: String(proxyProtocol),
        but: `nginx.serviceAnnotations make the NLB send ${nlb.proxyProtocol ? "" : "no "}PROXY headers`,
        fix: nlb.proxyProtocol
          ? "set --path nginx.proxyProtocol true"
          : attribute("proxy_protocol_v2.enabled"),
      },
      mode === "off" &&
        !nlb.proxyProtocol &&
        !nlb.keepsClientAddress && {
          key: "nginx.serviceAnnotations",
          is: JSON.stringify(serviceAnnotations),
          but: "with them the NLB hides the addresses of clients, which the rate limit counts by",
          fix: attribute("preserve_client_ip.enabled"),
        },
    ];
  }),
  rule(["nginx"], ({ nginx: { loadBalancerClass, proxyProtocol } }) => [
    proxyProtocol &&
      isGkeClass(loadBalancerClass) && {
        key: "nginx.proxyProtocol",
        is: "true",
        but: `${loadBalancerClass} passes connections on as they are, without PROXY headers`,
        fix: "rm --path nginx.proxyProtocol",
      },
  ]),
];
