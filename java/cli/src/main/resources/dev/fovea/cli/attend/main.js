/** What is chosen and pointed at, and who shows it. */
class Page {
  constructor(facts) {
    this.facts = facts;
    this.layer = facts.layer;
    this.head = facts.head;
    /** The token whose links are shown, or null; whether it stays when the pointer leaves. */
    this.source = null;
    this.kept = false;
    this.direction = "outgoing";
    document.getElementById("model").textContent = facts.model;
    this.palette = new Palette();
    this.thumbnails = new Thumbnails(this);
    this.map = new HeatMap(this);
    this.links = new Links(this);
    this.palette.onChange(() => this.paint());
    document.getElementById("previous").addEventListener("click", () => this.step(-1));
    document.getElementById("next").addEventListener("click", () => this.step(1));
    for (const direction of ["outgoing", "incoming"]) {
      const button = document.getElementById(direction);
      button.parentElement.hidden = this.links.crossing;
      button.addEventListener("click", () => this.turn(direction));
    }
    document.addEventListener("keydown", event => {
      if (event.key === "Escape") {
        this.release();
        this.show(null);
      }
    });
  }

  async start() {
    const element = document.getElementById("weights");
    this.weights = await Weights.unpack(this.facts, element.textContent);
    element.remove();
    this.paint();
    document.documentElement.dataset.ready = "true";
  }

  paint() {
    this.choose(this.layer, this.head);
    const scale = document.getElementById("scale");
    this.palette.paint(scale, Array.from({ length: 128 }, (_, i) => (i / 127) ** 2), 1, 128, 1);
    this.thumbnails.paint();
  }

  describe(layer, head) {
    const { layers, heads } = this.facts;
    return `${layer ? `layer ${layer} of ${layers}` : `mean of ${layers} layers`}, `
        + `${head ? `head ${head} of ${heads}` : `mean of ${heads} heads`}`;
  }

  choose(layer, head) {
    if (!this.weights) {
      return;
    }
    this.layer = layer;
    this.head = head;
    document.getElementById("chosen").textContent = this.describe(layer, head);
    document.getElementById("most").textContent = `${Weights.format(this.weights.scale(layer, head))} or more`;
    this.thumbnails.mark();
    this.map.paint();
    this.links.draw();
    this.tell();
  }

  /** To the next head, or the first of the next layer, all around. */
  step(by) {
    const across = this.facts.heads + 1;
    const count = (this.facts.layers + 1) * across;
    const place = (this.layer * across + this.head + by + count) % count;
    this.choose(Math.floor(place / across), place % across);
  }

  turn(direction) {
    this.direction = direction;
    this.map.cursor = null;
    for (const name of ["outgoing", "incoming"]) {
      document.getElementById(name).setAttribute("aria-pressed", name === direction);
    }
    this.show(this.source);
  }

  /** Shows the links of a token while it is pointed at; not while another is kept. */
  pointToken(token, direction) {
    if (!this.kept) {
      this.map.cursor = null;
      this.direction = direction ?? this.direction;
      this.show(token);
    }
  }

  /** Keeps a token, or lets it go if it is the one kept. */
  keepToken(token, direction) {
    const again = this.kept && this.source === token && this.direction === (direction ?? this.direction);
    this.kept = false;
    this.pointToken(token, direction);
    this.kept = !again;
    this.show(token);
  }

  point(cell) {
    if (!this.kept) {
      this.map.cursor = cell;
      this.showCell(cell);
    }
  }

  keepCell(cell) {
    this.kept = cell !== null;
    this.map.cursor = cell;
    this.showCell(cell);
  }

  showCell(cell) {
    this.show(cell && (this.direction === "outgoing" ? cell.query : cell.key));
  }

  release() {
    this.kept = false;
    this.map.cursor = null;
  }

  show(token) {
    if (!this.weights) {
      return;
    }
    this.source = token;
    this.links.draw();
    this.map.draw();
    this.tell();
  }

  /** Says what the cell under the cursor is. */
  tell() {
    const { cursor } = this.map;
    document.getElementById("cell").textContent = cursor
        ? `${this.facts.queries[cursor.query]} → ${this.facts.keys[cursor.key]}  `
            + Weights.format(this.weights.at(this.layer, this.head, cursor.query, cursor.key))
        : "Point at a cell to read its weight.";
  }
}

const page = new Page(JSON.parse(document.getElementById("facts").textContent));
page.start();
