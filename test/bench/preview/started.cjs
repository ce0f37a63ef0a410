// Loaded by every Node.js process of a preview; the one that runs the program leaves its start.
if (/cmd.run/.test(process.argv[1] ?? "")) {
  require("node:fs").writeFileSync(process.env.STARTED_FILE, String(performance.timeOrigin));
}
