/**
 * The text, token by token. The links of one token are lines to the tokens that it takes most of, or that take most of
 * it, with their weights; all others are tinted by theirs. Where queries and keys differ there are two texts.
 */
class Links {
  static MOST_LINES = 12;
  static MOST_LISTED = 10;

  constructor(page) {
    this.page = page;
    this.place = document.getElementById("tokens");
    this.lines = document.getElementById("lines");
    this.strongest = document.getElementById("strongest");
    this.hint = this.strongest.firstElementChild;
    const { queries, keys, specialQueries, specialKeys } = page.facts;
    this.crossing = JSON.stringify(queries) !== JSON.stringify(keys);
    this.queries = this.paragraph(queries, specialQueries, this.crossing ? "outgoing" : null, "queries");
    this.keys = this.crossing ? this.paragraph(keys, specialKeys, "incoming", "keys") : this.queries;
    new ResizeObserver(() => this.draw()).observe(this.place);
  }

  /** Buttons, of which one takes the focus; the arrow keys move it. Their links have {@code direction}, if given. */
  paragraph(tokens, special, direction, title) {
    const heading = document.createElement("h3");
    heading.textContent = title;
    heading.hidden = !direction;
    const paragraph = document.createElement("p");
    const buttons = tokens.map((token, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "token";
      button.classList.toggle("piece", token.startsWith("##"));
      button.classList.toggle("special", special[i]);
      button.textContent = token;
      button.tabIndex = i === 0 ? 0 : -1;
      button.addEventListener("pointerenter", event => {
        if (event.pointerType === "mouse") {
          this.page.pointToken(i, direction);
        }
      });
      button.addEventListener("focus", () => this.page.pointToken(i, direction));
      button.addEventListener("click", () => this.page.keepToken(i, direction));
      return button;
    });
    paragraph.addEventListener("pointerleave", () => this.page.pointToken(null, direction));
    paragraph.addEventListener("keydown", event => {
      const from = buttons.indexOf(event.target);
      const to = { ArrowLeft: from - 1, ArrowRight: from + 1, ArrowUp: from - 1, ArrowDown: from + 1, Home: 0,
        End: buttons.length - 1 }[event.key];
      if (buttons[to]) {
        event.preventDefault();
        this.page.release();
        buttons[from].tabIndex = -1;
        buttons[to].tabIndex = 0;
        buttons[to].focus();
      }
    });
    paragraph.append(...buttons);
    this.place.append(heading, paragraph);
    return buttons;
  }

  /** The links of the token that is pointed at, strongest first: {@code { token, weight }}. */
  links() {
    const { weights, layer, head, source, direction } = this.page;
    const outgoing = direction === "outgoing";
    return Array.from({ length: outgoing ? weights.keys : weights.queries }, (_, token) => ({
      token, weight: weights.at(layer, head, outgoing ? source : token, outgoing ? token : source) }))
        .sort((a, b) => b.weight - a.weight);
  }

  draw() {
    for (const button of [...this.queries, ...this.keys]) {
      button.classList.remove("source", "kept");
      button.style.backgroundColor = button.style.color = "";
      delete button.dataset.weight;
    }
    this.lines.replaceChildren();
    const { weights, palette, source, direction, kept, layer, head } = this.page;
    if (!weights || source === null) {
      this.strongest.replaceChildren(this.hint);
      return;
    }
    const [own, others] = direction === "outgoing" ? [this.queries, this.keys] : [this.keys, this.queries];
    own[source].classList.add("source");
    own[source].classList.toggle("kept", kept);
    const scale = weights.scale(layer, head);
    const links = this.links();
    for (const { token, weight } of links) {
      const strength = Weights.strength(weight, scale);
      if (strength > 0.1) {
        others[token].style.backgroundColor = palette.css(strength);
        others[token].style.color = palette.inkOn(strength);
      }
    }
    const drawn = links.filter(link => link.weight > 0).slice(0, Links.MOST_LINES);
    const place = this.place.getBoundingClientRect();
    // The strongest last, on top of the others.
    for (const { token, weight } of drawn.toReversed()) {
      others[token].dataset.weight = Weights.format(weight);
      this.lines.append(this.line(own[source], others[token], place, Weights.strength(weight, scale)));
    }
    this.list(own[source].textContent, others, links);
  }

  /** An arc from the top of one token to that of another. */
  line(from, to, place, strength) {
    const middle = button => {
      const box = button.getBoundingClientRect();
      return [box.left + box.width / 2 - place.left, box.top - place.top];
    };
    const [x1, y1] = middle(from);
    const [x2, y2] = middle(to);
    const rise = 6 + Math.min(14, Math.abs(x2 - x1) / 12);
    const [left, right] = from === to ? [x1 - 12, x2 + 12] : [x1, x2];
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", `M${x1} ${y1}C${left} ${y1 - rise - 8} ${right} ${y2 - rise - 8} ${x2} ${y2}`);
    path.setAttribute("stroke-width", 0.75 + 3 * strength);
    path.setAttribute("stroke-opacity", 0.25 + 0.65 * strength);
    return path;
  }

  list(name, others, links) {
    const title = document.createElement("b");
    title.textContent = `${name} ${this.page.direction === "outgoing" ? "attends to" : "is attended by"}`;
    const list = document.createElement("ol");
    for (const { token, weight } of links.slice(0, Links.MOST_LISTED)) {
      const item = document.createElement("li");
      const label = document.createElement("span");
      label.textContent = others[token].textContent;
      const number = document.createElement("span");
      number.textContent = Weights.format(weight);
      item.append(label, number);
      list.append(item);
    }
    this.strongest.replaceChildren(title, list);
  }
}
