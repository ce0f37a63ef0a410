/**
 * What tests see of the environment of whoever runs them: where programs, scratch space and what
 * `npm run local` made are. All else that a shell may hold ($KUBECONFIG, PULUMI_*, proxies, a
 * locale) could change what they find.
 */
const kept = [
  ...["PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME"],
  ...["IMAGE_SERVICE_CACHE", "IMAGE_SERVICE_STATE"],
];

/** To be laid over this process's environment; undefined takes a variable away. */
export const environment: NodeJS.ProcessEnv = {
  ...Object.fromEntries(
    Object.keys(process.env)
      .filter((name) => !kept.includes(name))
      .map((name) => [name, undefined]),
  ),
  LANG: "C.UTF-8",
  TZ: "UTC",
};

/** Called by vitest before it starts the processes that run tests. */
export function setup(): void {
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}
