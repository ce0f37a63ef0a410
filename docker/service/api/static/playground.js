// The playground: makes one picture at a time and follows it step by step.

const KEY = "image-service-key";
const RECENT = 12;
const QUEUE_MS = 2000;
const RETRY_MS = 2000;

import { Source } from "./source.js";

const page = Object.fromEntries([...document.querySelectorAll("[id]")].map((it) => [it.id, it]));
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

let key = sessionStorage.getItem(KEY);
let running; // the id of the task that the page follows

// -- the API ------------------------------------------------------------------------------

/** An answer that is no success; the message is the problem document's. */
class Refused extends Error {}

async function call(path, options = {}) {
  const headers = { ...options.headers, Authorization: `Bearer ${key}` };
  const response = await fetch(path, { ...options, headers });
  if (response.ok) return response;
  if (response.status === 401) {
    const reason = "This key is not valid.";
    leave(reason);
    throw new Refused(reason);
  }
  const problem = await response.json().catch(() => ({}));
  const later = response.headers.get("Retry-After");
  const detail = problem.detail ?? `The service answered ${response.status}.`;
  throw new Refused(later ? `${detail} Try again in ${later} s.` : detail);
}

const get = async (path) => (await call(path)).json();

/** The server-sent events of a response. */
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const name = block.match(/^event: (.*)$/m)?.[1];
      const data = block.match(/^data: (.*)$/m)?.[1];
      if (name && data) yield { name, data: JSON.parse(data) };
    }
  }
}

const blobs = new Map();

/** A picture as an address that an <img> takes: it cannot send the key itself. */
async function picture(url) {
  if (!blobs.has(url)) {
    const response = await call(`${url}?redirect=false`);
    blobs.set(url, URL.createObjectURL(await response.blob()));
  }
  return blobs.get(url);
}

// -- one task -----------------------------------------------------------------------------

const source = new Source(page);

async function parameters() {
  const [width, height] = page.size.value.split("x").map(Number);
  const seed = page.seed.value === "" ? {} : { seed: Number(page.seed.value) };
  const scheduler = page.scheduler.value === "" ? {} : { scheduler: page.scheduler.value };
  const steps = Number(page.steps.value);
  const lora = { name: page.lora.value, weight: Number(page["lora-weight"].value) };
  const loras = lora.name === "" ? {} : { loras: [lora] };
  return {
    ...{ prompt: page.prompt.value, width, height, steps, ...seed, ...scheduler, ...loras },
    ...(await source.parameters(send)),
  };
}

/** Sends a picture to draw from. @returns its id */
async function send(file) {
  const headers = { "Content-Type": file.type || "image/png" };
  const response = await call("/api/inputs", { method: "POST", headers, body: file });
  return (await response.json()).id;
}

async function make() {
  begin("Sending…");
  try {
    const response = await call("/api/generate", {
      method: "POST",
      headers: { "Content-Type": "application/json", Prefer: "respond-async" },
      body: JSON.stringify(await parameters()),
    });
    await follow((await response.json()).id);
  } catch (error) {
    end(error);
  }
}

/** Shows a task's way to its end, over broken connections too. */
async function follow(id) {
  running = id;
  begin("Waiting…");
  for (;;) {
    try {
      for await (const { name, data } of events(await call(`/api/tasks/${id}/events`))) {
        if (name === "done") return await finish(data);
        if (name === "error") throw new Refused(data.detail);
        if (name !== "continue") report(name, data);
      }
    } catch (error) {
      if (error instanceof Refused) return end(error);
      page.status.textContent = "The connection is lost; trying again…";
    }
    await sleep(RETRY_MS);
  }
}

function report(name, data) {
  if (name === "queued") {
    page.status.textContent = waiting(data);
    page.progress.removeAttribute("value");
  } else {
    const step = data.step ?? 0;
    page.status.textContent = `Step ${step} of ${data.total}`;
    page.progress.max = data.total;
    page.progress.value = step;
  }
}

function waiting({ position, eta_seconds: eta, worker_starting: starting }) {
  const about = eta == null ? "" : `, about ${Math.ceil(eta)} s`;
  return starting
    ? `A worker is starting; number ${position} in the queue${about}`
    : `Number ${position} in the queue${about}`;
}

async function finish(task) {
  if (task.status === "succeeded") {
    await show(task, 0);
    end();
    await showRecent();
  } else {
    end(new Refused(task.error?.message ?? "Cancelled."));
  }
}

function begin(status) {
  page.make.disabled = true;
  page.error.textContent = "";
  page.status.textContent = status;
  page.progress.hidden = false;
  page.progress.removeAttribute("value");
  page.cancel.hidden = running === undefined;
}

function end(error) {
  running = undefined;
  page.make.disabled = false;
  page.cancel.hidden = true;
  page.progress.hidden = true;
  page.status.textContent = "";
  page.error.textContent = message(error);
}

function message(error) {
  if (error === undefined) return "";
  return error instanceof Refused ? error.message : "The service does not answer.";
}

// -- pictures -----------------------------------------------------------------------------

async function show(task, n) {
  const { prompt, steps, format } = task.parameters;
  const { url, seed, width, height } = task.images[n];
  page.picture.src = await picture(url);
  page.picture.alt = prompt;
  page.download.href = page.picture.src;
  page.download.download = `${task.id}-${n}.${format}`;
  const seconds = task.timings.generation_seconds.toFixed(1);
  page.caption.textContent = `${width} × ${height} · ${steps} steps · seed ${seed} · ${seconds} s`;
  page.result.hidden = false;
}

async function showRecent() {
  const { tasks } = await get(`/api/tasks?limit=${RECENT}`);
  const made = tasks.flatMap((task) => task.images.map((image, n) => ({ task, image, n })));
  const items = made.slice(0, RECENT).map(async ({ task, image, n }) => {
    const thumbnail = new Image();
    thumbnail.src = await picture(image.url);
    thumbnail.alt = task.parameters.prompt;
    const button = document.createElement("button");
    button.type = "button";
    button.title = task.parameters.prompt;
    button.append(thumbnail);
    button.addEventListener("click", () => reopen(task, n));
    const item = document.createElement("li");
    item.append(button);
    return item;
  });
  page.pictures.replaceChildren(...(await Promise.all(items)));
  page.recent.hidden = made.length === 0;
  return tasks;
}

function showSize(size) {
  if (![...page.size.options].some((option) => option.value === size)) {
    page.size.add(new Option(size));
  }
  page.size.value = size;
}

/** Shows an earlier picture, ready to be made again or changed. */
async function reopen(task, n) {
  const { prompt, width, height, steps } = task.parameters;
  page.prompt.value = prompt;
  showSize(`${width}x${height}`);
  page.steps.value = steps;
  page.seed.value = task.images[n].seed;
  await show(task, n);
  page.result.scrollIntoView({ block: "nearest" });
}

// -- the key, and the queue at a glance -----------------------------------------------------

async function enter() {
  try {
    await showQueue();
    await learnModel();
    const tasks = await showRecent();
    sessionStorage.setItem(KEY, key);
    page["key-form"].hidden = true;
    for (const it of [page.form, page.leave, page.queue]) it.hidden = false;
    page.prompt.focus();
    // A page that was reloaded goes on where it was.
    const unfinished = tasks.find((task) => ["queued", "running"].includes(task.status));
    if (unfinished) await follow(unfinished.id);
  } catch (error) {
    leave(message(error));
  }
}

/** What the default model is asked for. */
async function learnModel() {
  const [{ loras, defaults, limits }] = (await get("/v1/models")).data;
  Object.assign(page.steps, { value: defaults.steps, max: limits.steps });
  showSize(`${defaults.width}x${defaults.height}`);
  page.lora.replaceChildren(page.lora.options[0], ...loras.map((name) => new Option(name)));
  page.loras.hidden = loras.length === 0;
}

function leave(reason) {
  key = undefined;
  sessionStorage.removeItem(KEY);
  page["key-form"].hidden = false;
  for (const it of [page.form, page.leave, page.queue, page.recent, page.result]) it.hidden = true;
  page["key-error"].textContent = reason;
  page.key.focus();
}

async function showQueue() {
  const { queued, running: drawing, workers } = await get("/api/queue");
  const s = workers === 1 ? "" : "s";
  page.queue.textContent = `${queued} waiting · ${drawing} drawing · ${workers} worker${s}`;
}

async function watchQueue() {
  for (;;) {
    await sleep(QUEUE_MS);
    if (!page.form.hidden && !document.hidden) {
      await showQueue().catch(() => {
        page.queue.textContent = "The service does not answer.";
      });
    }
  }
}

page["key-form"].addEventListener("submit", (event) => {
  event.preventDefault();
  key = page.key.value;
  page.key.value = "";
  enter();
});
page.leave.addEventListener("click", () => leave(""));
page.form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!page.make.disabled) make();
});
page.prompt.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) page.form.requestSubmit();
});
page.cancel.addEventListener("click", () => {
  call(`/api/tasks/${running}`, { method: "DELETE" }).catch((error) => {
    page.error.textContent = message(error);
  });
});

watchQueue();
if (key) enter();
