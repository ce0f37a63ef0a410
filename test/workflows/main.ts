import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { repository } from "../../local/paths";
import { ensureToolchain } from "../../local/toolchain";

// The workflows of .github before actionlint (what GitHub would refuse) and zizmor (what an
// attacker would use).

const environment = join(__dirname, ".venv");
const program = (name: string) => join(environment, "bin", name);
const requirements = join(__dirname, "requirements.txt");

async function main(): Promise<void> {
  const toolchain = await ensureToolchain(console.error, ["actionlint"]);
  const commands = [
    ["python3", "-m", "venv", environment],
    [program("pip"), "install", "--quiet", "--require-hashes", "-r", requirements],
    [toolchain.actionlint],
    [program("zizmor"), "--offline", "."],
  ];
  for (const [command = "", ...args] of commands) {
    const { status } = spawnSync(command, args, { cwd: repository, stdio: "inherit" });
    if (status !== 0) process.exitCode = 1;
  }
}

void main();
