/** Keys that are set with `pulumi config set --secret`: what each is. */
export const secrets = {
  apiSecret: "The operator's key, for `Authorization: Bearer`",
  databasePassword: "Password of the database's one user",
  redisPassword: "Password of Redis",
  s3AccessKeyId: "Access key of the object store in the cluster",
  s3SecretAccessKey: "Its secret half",
  archiveCipherPass:
    "Encrypts the database's archive, which is lost without it; without postgres.managed and postgres.operator",
  webhookSecret: "Signs what webhooks are told, which receivers have, too; with api.webhooks",
  c2paCertificates:
    "PEM of the certificate that signs pictures, and of those up to its root; with workers.contentCredentials",
  c2paKey: "PEM of its key, in PKCS 8; with workers.contentCredentials",
  hubToken: "Token of the hub's user whom a gated repository lets in; with models.gated",
  registryPassword: "Password of build.username; with build.repository, unless that is ECR",
  cloudflareApiToken: "Token that may edit the zone and the tunnel; with cloudflare.mode",
  originCertificate: "PEM of nginx's certificate; with cloudflare.mode proxied",
  originKey: "PEM of its key; with cloudflare.mode proxied",
  pullCertificate:
    "PEM of the certificate that Cloudflare shows nginx; with cloudflare.mode proxied",
  pullKey: "PEM of its key; with cloudflare.mode proxied",
  pullCa: "PEM of the CA that signed it; with cloudflare.mode proxied",
  alertWebhook: "URL that is sent alerts, in Alertmanager's format; with receivers webhook",
  watchdogWebhook:
    "URL of a dead man's switch, which tells you when nothing comes; with monitoring.watchdog",
  slackWebhook: "URL of Slack's incoming webhook, which knows its channel; with receivers slack",
  pagerdutyKey: "Key of a PagerDuty service's Events API v2; with receivers pagerduty",
  smtpPassword: "Password of monitoring.email.username; with receivers email",
};

/** Bytes of randomness of those that nobody outside the stack has to know. */
export const randomSecrets: Partial<Record<keyof typeof secrets, number>> = {
  apiSecret: 24,
  databasePassword: 24,
  redisPassword: 24,
  s3AccessKeyId: 10,
  s3SecretAccessKey: 24,
  archiveCipherPass: 32,
  // Hexadecimal digits are base64, too, which Standard Webhooks wants.
  webhookSecret: 24,
};
