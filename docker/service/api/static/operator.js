// The operator's page: what the service does now, who had what today, and what failed.

const KEY = "image-service-key"; // the playground's: one key is enough for both
const NOW_MS = 2000;
const TODAY_MS = 30_000;
const MONTH_MS = 600_000; // the store counts each task of it

const page = Object.fromEntries([...document.querySelectorAll("[id]")].map((it) => [it.id, it]));
const sections = ["glance", "queue", "drawing", "use", "failed", "leave"].map((id) => page[id]);
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

let key = sessionStorage.getItem(KEY);
let today;
let month;

/** An answer that is no success; the message is the problem document's. */
class Refused extends Error {}

async function call(path, options = {}) {
  const response = await fetch(path, { ...options, headers: { Authorization: `Bearer ${key}` } });
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  const reason = problem.detail ?? `The service answered ${response.status}.`;
  if (response.status === 401 || response.status === 403) leave(reason);
  throw new Refused(reason);
}

const get = async (path) => (await call(path)).json();

// -- what is shown ------------------------------------------------------------------------

/** Rows of cells, each a text or an element. */
function fill(body, rows, none) {
  const cells = rows.length > 0 ? rows : [[none]];
  body.replaceChildren(
    ...cells.map((row) => {
      const tr = document.createElement("tr");
      for (const content of row) tr.insertCell().append(content);
      if (rows.length === 0) tr.cells[0].colSpan = 9;
      return tr;
    }),
  );
}

const seconds = (value) =>
  value < 120
    ? `${value.toFixed(1)} s`
    : value < 7200
      ? `${Math.round(value / 60)} min`
      : `${(value / 3600).toFixed(1)} h`;
const money = (value) => (today?.priced ? value.toFixed(value < 1 ? 4 : 2) : "no price");
const sum = (items, of) => items.reduce((all, item) => all + item[of], 0);

function glance(now) {
  const busy = now.workers.filter((worker) => worker.task_id !== null).length;
  const drawn = today ? sum(today.keys, "pictures") : 0;
  const cost = today ? sum(today.keys, "cost") : 0;
  const values = {
    Waiting: sum(now.waiting, "queued"),
    "Workers drawing": `${busy} of ${now.workers.length}`,
    "Done in a minute": now.finished_last_minute,
    "Half within": now.latency ? seconds(now.latency.p50) : "–",
    "95 % within": now.latency ? seconds(now.latency.p95) : "–",
    "Pictures today": drawn,
    "Cost today": money(cost),
    "Cost this month": month ? money(sum(month.keys, "cost")) : "–",
    "Cost of a picture": drawn > 0 ? money(cost / drawn) : "–",
    Dead: now.dead,
  };
  page.glance.replaceChildren(
    ...Object.entries(values).map(([name, value]) => {
      const item = document.createElement("p");
      const strong = document.createElement("strong");
      strong.textContent = value;
      item.append(strong, name);
      return item;
    }),
  );
}

async function showNow() {
  const now = await get("/api/operator");
  glance(now);
  fill(
    page.waiting,
    now.waiting.map(({ model, queued, oldest_seconds }) => [
      model,
      queued,
      seconds(oldest_seconds),
    ]),
    "Nothing waits.",
  );
  fill(
    page.workers,
    now.workers.map((worker) =>
      worker.task_id === null
        ? [worker.id, "idle", "", ""]
        : [
            worker.id,
            `${worker.model}: ${worker.task_id}`,
            `${worker.step} of ${worker.total_steps}`,
            seconds(worker.seconds),
          ],
    ),
    "No worker is there.",
  );
  fill(
    page.dead,
    now.dead_tasks.map((task) => [
      task.task_id,
      task.model,
      `${task.error_code}: ${task.error}`,
      new Date(task.finished_at).toLocaleString(),
      requeueButton(task.task_id),
    ]),
    "None.",
  );
}

async function showToday() {
  today = await get("/api/operator/today");
  fill(
    page.keys,
    today.keys.map((use) => [
      use.key,
      use.tasks,
      use.pictures,
      seconds(use.seconds),
      money(use.cost),
    ]),
    "Nothing yet.",
  );
}

async function loadMonth() {
  month = await get("/api/operator/month");
}

function requeueButton(id) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.textContent = "Try again";
  button.addEventListener("click", async () => {
    button.disabled = true;
    page.error.textContent = "";
    try {
      await call(`/api/operator/tasks/${id}/requeue`, { method: "POST" });
      await showNow();
    } catch (error) {
      page.error.textContent = message(error);
    }
  });
  return button;
}

const message = (error) =>
  error instanceof Refused ? error.message : "The service does not answer.";

// -- the key, and time ----------------------------------------------------------------------

async function enter() {
  try {
    await showToday();
    await loadMonth();
    await showNow();
    sessionStorage.setItem(KEY, key);
    page["key-form"].hidden = true;
    page["key-error"].textContent = "";
    for (const it of sections) it.hidden = false;
  } catch (error) {
    leave(message(error));
  }
}

function leave(reason) {
  key = undefined;
  sessionStorage.removeItem(KEY);
  page["key-form"].hidden = false;
  for (const it of sections) it.hidden = true;
  page["key-error"].textContent = reason;
  page.key.focus();
}

async function keepShowing(show, ms) {
  for (;;) {
    await sleep(ms);
    if (page.glance.hidden || document.hidden) continue;
    page.state.textContent = await show().then(
      () => "",
      (error) => message(error),
    );
  }
}

page["key-form"].addEventListener("submit", (event) => {
  event.preventDefault();
  key = page.key.value;
  page.key.value = "";
  enter();
});
page.leave.addEventListener("click", () => leave(""));

if (key) enter();
keepShowing(showNow, NOW_MS);
keepShowing(showToday, TODAY_MS);
keepShowing(loadMonth, MONTH_MS);
