import { join } from "node:path";
import { repository } from "../local/paths";

/** The service's Python package. */
export const service = join(repository, "docker/service");

/** A shell line that brings what its tests need: real Redis and PostgreSQL, a virtual environment. */
export const pythonSetup =
  "command -v redis-server >/dev/null && ls /usr/lib/postgresql/*/bin/initdb >/dev/null || " +
  "{ apt-get update -q; apt-get install -qy --no-install-recommends redis-server postgresql; }; " +
  "python3 -m venv .venv; .venv/bin/pip install --quiet --require-hashes -r requirements/dev.txt";
