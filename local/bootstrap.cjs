// Plain JavaScript, because it runs before the npm packages are there: installs what
// package-lock.json names when node_modules is missing or older, then hands over to TypeScript.
const { spawnSync } = require("node:child_process");
const { existsSync, statSync } = require("node:fs");
const path = require("node:path");

const root = path.join(__dirname, "..");
const installed = path.join(root, "node_modules", ".package-lock.json");
const wanted = path.join(root, "package-lock.json");

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`error: Node.js ${process.version} is too old; install 20.19 or newer`);
  process.exit(1);
}

if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(wanted).mtimeMs) {
  console.error("installing the npm packages that package-lock.json names (about 20 s)");
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (npm.status !== 0) {
    console.error("error: npm ci failed; check that the npm registry answers, then run this again");
    process.exit(1);
  }
}

// In the same process, so that signals and the exit status need no forwarding.
require("tsx/cjs");
process.argv.splice(1, 1);
require(path.join(root, process.argv[1]));
