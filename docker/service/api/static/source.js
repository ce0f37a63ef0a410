// The picture to draw from, and the mask that is painted over it.

const LARGEST = 512; // pixels of the canvas's longer side; what is sent has the picture's own size
const BRUSH = 0.06; // of that side
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Source {
  #page;
  #file;
  #picture;
  #strokes = []; // points, as shares of width and height
  #at = [0.5, 0.5]; // where the keyboard paints
  #id; // of the picture, once it was sent

  constructor(page) {
    this.#page = page;
    page.image.addEventListener("change", () => this.#take(page.image.files[0]));
    page.remove.addEventListener("click", () => this.#take());
    page.unpaint.addEventListener("click", () => this.#unpaint());
    for (const type of ["dragover", "dragleave", "drop"]) {
      page.form.addEventListener(type, (event) => this.#dragged(event));
    }
    for (const type of ["pointerdown", "pointermove"]) {
      page.mask.addEventListener(type, (event) => this.#painted(event));
    }
    page.mask.addEventListener("keydown", (event) => this.#pressed(event));
  }

  /** What a request says of it. @param send sends a file and gives its id */
  async parameters(send) {
    if (!this.#file) return {};
    this.#id ??= await send(this.#file);
    const given = { image: this.#id, strength: Number(this.#page.strength.value) };
    if (this.#strokes.length === 0) return given;
    return { ...given, mask: await send(await this.#maskFile()) };
  }

  async #take(file) {
    this.#file = undefined;
    this.#id = undefined;
    this.#strokes = [];
    this.#page.source.hidden = true;
    if (!file) {
      this.#page.image.value = "";
      return;
    }
    try {
      // As the service turns it: upright.
      this.#picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    } catch {
      this.#page.error.textContent = "This file is no picture that can be drawn from.";
      return;
    }
    this.#file = file;
    this.#page.error.textContent = "";
    this.#page.source.hidden = false;
    this.#page.more.open = true;
    const { width, height } = this.#picture;
    const scale = Math.min(1, LARGEST / Math.max(width, height));
    this.#page.mask.width = Math.round(width * scale);
    this.#page.mask.height = Math.round(height * scale);
    this.#draw();
  }

  #dragged(event) {
    event.preventDefault();
    this.#page.form.classList.toggle("dropping", event.type === "dragover");
    if (event.type === "drop") this.#take(event.dataTransfer.files[0]);
  }

  #painted(event) {
    if (event.buttons === 0) return;
    const { left, top, width, height } = this.#page.mask.getBoundingClientRect();
    this.#paint([(event.clientX - left) / width, (event.clientY - top) / height]);
  }

  #pressed(event) {
    const [x, y] = this.#at;
    if (event.key === " ") {
      this.#paint(this.#at);
    } else if (event.key in KEYS) {
      const [right, down] = KEYS[event.key];
      const within = (share) => Math.min(1, Math.max(0, share));
      this.#at = [within(x + (right * BRUSH) / 2), within(y + (down * BRUSH) / 2)];
      this.#draw();
    } else {
      return;
    }
    event.preventDefault();
  }

  #paint(point) {
    this.#at = point;
    this.#strokes.push(point);
    this.#draw();
  }

  #unpaint() {
    this.#strokes = [];
    this.#draw();
  }

  #draw() {
    const canvas = this.#page.mask;
    const context = canvas.getContext("2d");
    context.drawImage(this.#picture, 0, 0, canvas.width, canvas.height);
    context.fillStyle = "rgb(255 0 200 / 60%)";
    context.fill(this.#path(canvas));
    context.strokeStyle = "white";
    context.strokeRect(this.#at[0] * canvas.width - 4, this.#at[1] * canvas.height - 4, 8, 8);
  }

  #path({ width, height }) {
    const path = new Path2D();
    const radius = BRUSH * Math.max(width, height);
    for (const [x, y] of this.#strokes) {
      path.moveTo(x * width + radius, y * height);
      path.arc(x * width, y * height, radius, 0, 2 * Math.PI);
    }
    return path;
  }

  /** White where it was painted, as large as the picture. */
  #maskFile() {
    const { width, height } = this.#picture;
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    context.fillRect(0, 0, width, height);
    context.fillStyle = "white";
    context.fill(this.#path(canvas));
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  }
}
