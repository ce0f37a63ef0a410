import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repository } from "../../../local/paths";

const service = join(repository, "docker/service");

/** What a machine with torch has, and what only servers, stores and signatures need. */
const leftOut =
  /^(torch|triton|nvidia-.*|cuda-.*|sympy|networkx|mpmath|jinja2|markupsafe|filelock|fsspec|typing-extensions|setuptools|hf-xet|sqlalchemy|greenlet|asyncpg|aiosqlite|alembic|mako|fastapi|starlette|sse-starlette|uvicorn|uvloop|httptools|python-multipart|limits|deprecated|wrapt|standardwebhooks|pygments|rich|markdown-it-py|mdurl|typer|shellingham|cachetools|uuid-utils|c2pa-python|cryptography|cffi|pycparser|toml|redis|hiredis|protobuf|googleapis-common-protos|opentelemetry-(exporter-.*|proto))$/;

/** The lock's entries, hashes included, that the benchmark needs beside torch. */
export function neededBesideTorch(lock: string): string {
  return lock
    .split(/\n(?=[a-z0-9])/)
    .filter((entry) => {
      const name = /^([a-z0-9-]+)==/.exec(entry)?.[1];
      return name !== undefined && !leftOut.test(name);
    })
    .join("\n");
}

// Python unpacks it: neither pip nor xz is needed there.
const script = `#!/bin/sh
# The GPU benchmark: ./run --minutes 8. Needs a Python with torch 2.11 or later, and no network.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
site=$(mktemp -d)
trap 'rm -rf "$site"' EXIT
python3 -m tarfile -e "$here/packages.tar.xz" "$site"
PYTHONPATH="$site:$here/service" TRANSFORMERS_VERBOSITY=error python3 "$here/bench/bench.py" "$@"
`;

/** A folder that runs the benchmark on a machine that has torch alone. @param version Python's there, like 3.12 */
export function pack(directory: string, version: string): void {
  mkdirSync(directory, { recursive: true });
  // The requirements have what trims an environment.
  for (const part of ["core", "requirements", "tasks", "worker"])
    cpSync(join(service, part), join(directory, "service", part), {
      recursive: true,
      filter: (path) => !path.includes("__pycache__"),
    });
  cpSync(__dirname, join(directory, "bench"), {
    recursive: true,
    filter: (path) => path === __dirname || path.endsWith(".py"),
  });
  const temporary = mkdtempSync(join(tmpdir(), "pack-"));
  try {
    const lock = join(temporary, "needed.txt");
    writeFileSync(
      lock,
      neededBesideTorch(readFileSync(join(service, "requirements/worker.txt"), "utf8")),
    );
    const platforms = ["2_28", "2_27", "2_24", "2_17"].map((libc) => `manylinux_${libc}_x86_64`);
    const [wheels, site] = [join(temporary, "wheels"), join(temporary, "site")];
    run("python3", [
      ...["-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"],
      ...["--only-binary=:all:", "--implementation", "cp", "--python-version", version],
      ...[...platforms, "manylinux2014_x86_64"].flatMap((name) => ["--platform", name]),
      ...["--dest", wheels, "--requirement", lock],
    ]);
    // A wheel is a zip file, which packs each of its files by itself.
    for (const wheel of readdirSync(wheels))
      run("python3", ["-m", "zipfile", "-e", join(wheels, wheel), site]);
    const packed = join(directory, "packages.tar.xz");
    run("tar", ["--create", "--use-compress-program=xz -1", "--file", packed, "-C", site, "."]);
  } finally {
    rmSync(temporary, { recursive: true });
  }
  writeFileSync(join(directory, "run"), script);
  chmodSync(join(directory, "run"), 0o755);
}

function run(program: string, args: string[]): void {
  const { status } = spawnSync(program, args, { stdio: "inherit" });
  if (status !== 0) throw new Error(`${program} ${args.slice(0, 3).join(" ")} failed`);
}
