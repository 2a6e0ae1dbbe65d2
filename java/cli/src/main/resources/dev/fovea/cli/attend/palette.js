/** The colours of weights, as the style sheet gives them for light and for dark paper. */
class Palette {
  static STEPS = 256;

  constructor() {
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.read();
  }

  onChange(listener) {
    this.dark.addEventListener("change", () => {
      this.read();
      listener();
    });
  }

  read() {
    const style = getComputedStyle(document.documentElement);
    this.ink = style.getPropertyValue("--ink").trim();
    this.faint = style.getPropertyValue("--faint").trim();
    this.accent = style.getPropertyValue("--accent").trim();
    const stops = style.getPropertyValue("--heat").trim().split(/\s+/).map(hex =>
        [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16)));
    this.steps = Array.from({ length: Palette.STEPS }, (_, i) => {
      const place = i / (Palette.STEPS - 1) * (stops.length - 1);
      const index = Math.min(Math.floor(place), stops.length - 2);
      return stops[index].map((from, c) => Math.round(from + (place - index) * (stops[index + 1][c] - from)));
    });
  }

  /** Red, green and blue of a strength of 0 to 1. */
  rgb(strength) {
    return this.steps[Math.round(strength * (Palette.STEPS - 1))];
  }

  css(strength) {
    return `rgb(${this.rgb(strength).join(" ")})`;
  }

  /** Black or white, whichever can be read on the colour of a strength. */
  inkOn(strength) {
    const [red, green, blue] = this.rgb(strength);
    return 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? "#14181d" : "#ffffff";
  }

  /** A canvas of one pixel per weight; of fewer where {@code most} is less, each with the greatest it stands for. */
  paint(canvas, map, queries, keys, scale, most = Infinity) {
    const height = Math.min(queries, most);
    const width = Math.min(keys, most);
    const greatest = new Float32Array(width * height);
    for (let query = 0, i = 0; query < queries; query++) {
      const row = Math.floor(query * height / queries) * width;
      for (let key = 0; key < keys; key++, i++) {
        const pixel = row + Math.floor(key * width / keys);
        greatest[pixel] = Math.max(greatest[pixel], map[i]);
      }
    }
    canvas.width = width;
    canvas.height = height;
    const image = new ImageData(width, height);
    for (let pixel = 0; pixel < greatest.length; pixel++) {
      const [red, green, blue] = this.rgb(Weights.strength(greatest[pixel], scale));
      image.data[4 * pixel] = red;
      image.data[4 * pixel + 1] = green;
      image.data[4 * pixel + 2] = blue;
      image.data[4 * pixel + 3] = 255;
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
    return canvas;
  }
}
