/**
 * The map of the chosen layer and head. It fits its window, or has cells large enough to read every label; then the
 * window scrolls, and a canvas of the window's size shows the part in sight with the labels of its rows and columns.
 */
class HeatMap {
  static FONT = "12px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace";
  static LARGEST = 30;
  static READABLE = 18;
  static LABEL = 13;
  static LABEL_PIXELS = 110;

  constructor(page) {
    this.page = page;
    this.window = document.getElementById("window");
    this.extent = document.getElementById("extent");
    this.canvas = document.getElementById("cells");
    this.pixels = document.createElement("canvas");
    this.large = false;
    this.cursor = null;
    this.window.addEventListener("scroll", () => this.draw());
    this.window.addEventListener("keydown", event => this.move(event));
    this.canvas.addEventListener("pointermove", event => {
      if (event.pointerType === "mouse") {
        this.page.point(this.cellAt(event));
      }
    });
    this.canvas.addEventListener("pointerleave", () => this.page.point(null));
    this.canvas.addEventListener("click", event => this.page.keepCell(this.cellAt(event)));
    document.getElementById("zoom").addEventListener("click", event => {
      this.large = !this.large;
      event.target.setAttribute("aria-pressed", this.large);
      this.layout();
    });
    new ResizeObserver(() => this.layout()).observe(this.window.parentElement);
  }

  paint() {
    const { weights, palette, layer, head } = this.page;
    palette.paint(this.pixels, weights.map(layer, head), weights.queries, weights.keys,
        weights.scale(layer, head) * 10 ** Weights.DECIMALS);
    this.draw();
  }

  /** Measures labels and window, and sets the size of a cell. */
  layout() {
    const { queries, keys } = this.page.facts;
    const context = this.canvas.getContext("2d");
    context.font = HeatMap.FONT;
    const length = tokens => Math.min(HeatMap.LABEL_PIXELS,
        Math.ceil(Math.max(...tokens.map(token => context.measureText(token).width)))) + 8;
    this.left = length(queries);
    this.top = length(keys);
    const width = this.window.parentElement.clientWidth;
    const fit = Math.min((width - this.left) / keys.length, HeatMap.LARGEST);
    this.cell = this.large ? Math.max(fit, HeatMap.READABLE) : fit;
    const full = [this.left + this.cell * keys.length, this.top + this.cell * queries.length];
    this.extent.style.width = `${full[0]}px`;
    this.extent.style.height = `${full[1]}px`;
    this.window.style.maxHeight = this.large ? "" : "none";
    document.getElementById("zoom").hidden = fit >= HeatMap.READABLE;
    this.width = Math.min(full[0], this.window.clientWidth);
    this.height = Math.min(full[1], this.window.clientHeight);
    const ratio = devicePixelRatio;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.canvas.style.width = `${this.width}px`;
    this.canvas.style.height = `${this.height}px`;
    this.draw();
  }

  draw() {
    if (!this.cell || !this.pixels.width) {
      return;
    }
    const { facts: { queries, keys }, palette, source, direction } = this.page;
    const context = this.canvas.getContext("2d");
    const x = this.left - this.window.scrollLeft;
    const y = this.top - this.window.scrollTop;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    context.save();
    context.beginPath();
    context.rect(this.left, this.top, this.width, this.height);
    context.clip();
    // Pixels smaller than the screen's are mixed, larger ones stay squares.
    context.imageSmoothingEnabled = this.cell * devicePixelRatio < 1;
    context.drawImage(this.pixels, x, y, this.cell * keys.length, this.cell * queries.length);
    context.strokeStyle = palette.accent;
    context.lineWidth = 1.5;
    if (source !== null && direction === "outgoing") {
      this.outline(context, x, y + source * this.cell, this.cell * keys.length, this.cell);
    } else if (source !== null) {
      this.outline(context, x + source * this.cell, y, this.cell, this.cell * queries.length);
    }
    if (this.cursor) {
      this.outline(context, x + this.cursor.key * this.cell, y + this.cursor.query * this.cell, this.cell, this.cell);
    }
    context.restore();
    this.labels(context, x, y);
  }

  /** A frame around cells, not on them: they may be smaller than its line. */
  outline(context, x, y, width, height) {
    context.strokeRect(x - 0.75, y - 0.75, width + 1.5, height + 1.5);
  }

  /** Draws as many labels as there is room for, and those of what is pointed at before all others. */
  labels(context, x, y) {
    const { facts, source, direction } = this.page;
    const query = this.cursor?.query ?? (direction === "outgoing" ? source : null);
    const key = this.cursor?.key ?? (direction === "incoming" ? source : null);
    context.font = HeatMap.FONT;
    context.textBaseline = "middle";
    context.textAlign = "right";
    this.side(facts.queries, facts.specialQueries, query, y, this.top, this.height, (token, at, color) => {
      context.fillStyle = color;
      context.fillText(token, this.left - 5, at, this.left - 6);
    });
    context.textAlign = "left";
    this.side(facts.keys, facts.specialKeys, key, x, this.left, this.width, (token, at, color) => {
      context.save();
      context.translate(at, this.top - 5);
      context.rotate(-Math.PI / 2);
      context.fillStyle = color;
      context.fillText(token, 0, 0, this.top - 6);
      context.restore();
    });
  }

  side(tokens, special, pointed, start, from, to, draw) {
    const { palette } = this.page;
    const step = Math.max(1, Math.ceil(HeatMap.LABEL / this.cell));
    tokens.forEach((token, i) => {
      const at = start + (i + 0.5) * this.cell;
      const hidden = pointed !== null && Math.abs(i - pointed) * this.cell < HeatMap.LABEL && i !== pointed;
      if (at >= from && at <= to && (i === pointed || i % step === 0 && !hidden)) {
        const color = i === pointed ? palette.accent : special[i] ? palette.faint : palette.ink;
        draw(token, Math.min(at, to - HeatMap.LABEL / 2), color);
      }
    });
  }

  /** The cell under the pointer, or null. */
  cellAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const key = Math.floor((event.clientX - box.left - this.left + this.window.scrollLeft) / this.cell);
    const query = Math.floor((event.clientY - box.top - this.top + this.window.scrollTop) / this.cell);
    const { queries, keys } = this.page.facts;
    const inside = event.clientX - box.left >= this.left && event.clientY - box.top >= this.top;
    return inside && query >= 0 && key >= 0 && query < queries.length && key < keys.length ? { query, key } : null;
  }

  move(event) {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!step) {
      return;
    }
    event.preventDefault();
    const { queries, keys } = this.page.facts;
    const from = this.cursor ?? { query: 0, key: -1 };
    const within = (value, count) => Math.min(Math.max(value, 0), count - 1);
    const cell = { query: within(from.query + step[0], queries.length), key: within(from.key + step[1], keys.length) };
    this.reveal(cell);
    this.page.keepCell(cell);
  }

  reveal({ query, key }) {
    const within = (scroll, start, size) => Math.min(scroll, start) === start ? start
        : Math.max(scroll, start + this.cell - size);
    this.window.scrollTo(
        within(this.window.scrollLeft, key * this.cell, this.width - this.left),
        within(this.window.scrollTop, query * this.cell, this.height - this.top));
  }
}
