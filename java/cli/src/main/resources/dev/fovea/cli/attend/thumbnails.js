/** A small map per layer and head, to choose from. One of them takes the focus; the arrow keys move it. */
class Thumbnails {
  static PIXELS = 34;

  constructor(page) {
    this.page = page;
    this.buttons = [];
    const { layers, heads } = page.facts;
    const grid = this.grid = document.getElementById("thumbnails");
    grid.style.gridTemplateColumns = `max-content repeat(${heads + 1}, max-content)`;
    grid.append(this.label(""));
    for (let head = 0; head <= heads; head++) {
      grid.append(this.label(head || "mean"));
    }
    for (let layer = 0; layer <= layers; layer++) {
      const label = this.label(layer || "mean");
      label.className = "layer";
      grid.append(label);
      this.buttons.push([]);
      for (let head = 0; head <= heads; head++) {
        grid.append(this.button(layer, head));
      }
    }
    grid.addEventListener("keydown", event => this.move(event));
  }

  label(text) {
    const span = document.createElement("span");
    span.textContent = text;
    return span;
  }

  button(layer, head) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.layer = layer;
    button.dataset.head = head;
    button.title = button.ariaLabel = this.page.describe(layer, head);
    button.append(document.createElement("canvas"));
    button.addEventListener("click", () => this.page.choose(layer, head));
    this.buttons[layer].push(button);
    return button;
  }

  move(event) {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const next = step && this.buttons[this.page.layer + step[0]]?.[this.page.head + step[1]];
    if (next) {
      event.preventDefault();
      this.page.choose(Number(next.dataset.layer), Number(next.dataset.head));
      next.focus();
    }
  }

  /** Draws all maps, a layer at a time, so that the page answers in between. */
  async paint() {
    const { weights, palette } = this.page;
    for (const row of this.buttons) {
      await new Promise(resolve => setTimeout(resolve));
      for (const { dataset: { layer, head }, firstChild } of row) {
        palette.paint(firstChild, weights.map(+layer, +head), weights.queries, weights.keys,
            weights.scale(+layer, +head) * 10 ** Weights.DECIMALS, Thumbnails.PIXELS);
      }
    }
  }

  /** Scrolls sideways to a button, beside the numbers of the layers; the page stays where it is. */
  reveal(button) {
    const scroll = this.grid.parentElement;
    const left = button.offsetLeft - this.buttons[0][0].offsetLeft;
    const room = scroll.clientWidth - this.buttons[0][0].offsetLeft + this.grid.offsetLeft;
    if (left < scroll.scrollLeft || left + button.offsetWidth > scroll.scrollLeft + room) {
      scroll.scrollLeft = left - (room - button.offsetWidth) / 2;
    }
  }

  mark() {
    for (const button of this.buttons.flat()) {
      const chosen = Number(button.dataset.layer) === this.page.layer && Number(button.dataset.head) === this.page.head;
      button.setAttribute("aria-current", chosen);
      button.tabIndex = chosen ? 0 : -1;
    }
    this.reveal(this.buttons[this.page.layer][this.page.head]);
  }
}
