import * as k8s from "@pulumi/kubernetes";
import type { CustomResourceOptions, Input, Output } from "@pulumi/pulumi";
import type { Alert } from "../observability/alerts";
import type { Tls } from "./nginxListeners";

/** Where nginx's certificate comes from. */
export type Certificate = OriginCertificate | ClusterSecret | Issued;

/** PEM, for Cloudflare alone, which shows a certificate that `clientCa` signed. */
export interface OriginCertificate {
  certificate: Input<string>;
  key: Input<string>;
  clientCa: Input<string>;
}

/** A Secret of type kubernetes.io/tls that is there. */
export interface ClusterSecret {
  secretName: string;
}

/** By cert-manager, which has to be in the cluster, and renews it. */
export interface Issued {
  /** Name of its ClusterIssuer. */
  issuer: string;
  /** Host that clients use. */
  hostname: string;
}

export const tlsOf = (certificate: Certificate | undefined): Tls =>
  !certificate ? "none" : "clientCa" in certificate ? "cloudflare" : "everybody";

/** @returns the name of the Secret that has the certificate; made here unless it is there */
export function certificateSecret(
  name: string,
  { namespace, certificate }: { namespace: string; certificate: Certificate },
  opts: CustomResourceOptions,
): string | Output<string> {
  if ("secretName" in certificate) return certificate.secretName;
  if ("issuer" in certificate) return issuedSecret(name, namespace, certificate, opts);
  const { clientCa, key } = certificate;
  return new k8s.core.v1.Secret(
    `${name}-certificates`,
    {
      metadata: { namespace },
      stringData: { "tls.crt": certificate.certificate, "tls.key": key, "ca.crt": clientCa },
    },
    opts,
  ).metadata.name;
}

/** https://cert-manager.io/docs/usage/certificate/ */
function issuedSecret(
  name: string,
  namespace: string,
  { issuer, hostname }: Issued,
  opts: CustomResourceOptions,
): Output<string> {
  const secretName = `${name}-tls`;
  return new k8s.apiextensions.CustomResource(
    `${name}-certificate`,
    {
      apiVersion: "cert-manager.io/v1",
      kind: "Certificate",
      metadata: {
        name: secretName,
        namespace,
        // Else an update ends before it is issued, and says nothing of why it is not.
        annotations: { "pulumi.com/waitFor": "condition=Ready" },
      },
      spec: {
        secretName,
        dnsNames: [hostname],
        issuerRef: { name: issuer, kind: "ClusterIssuer" },
      },
    },
    opts,
  ).metadata.apply(() => secretName);
}

const day = 86_400;
const left = "min(aigc_certificate_expiry_timestamp_seconds > 0) - time()";

/** Of what nginx shows, whoever renews it; cert-manager does so a month before, of three. */
export const certificateAlerts: Alert[] = [
  {
    name: "CertificateAges",
    when: `${left} < ${21 * day}`,
    for: "1h",
    severity: "ticket",
    summary:
      "The certificate of nginx ends in {{ $value | humanizeDuration }}; it has not been renewed.",
    action: "kubectl describe certificate nginx-tls, or a new one in the secret originCertificate.",
  },
  {
    name: "CertificateEnds",
    when: `${left} < ${3 * day}`,
    for: "10m",
    severity: "page",
    summary:
      "The certificate of nginx ends in {{ $value | humanizeDuration }}: then nobody is answered.",
    action: "As for CertificateAges, at once.",
  },
];
