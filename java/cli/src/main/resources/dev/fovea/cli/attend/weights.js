"use strict";

/** The weights [layers + 1][heads + 1][queries][keys]; layer 0 and head 0 are means. */
class Weights {
  static DECIMALS = 4;

  constructor(facts, shorts) {
    this.facts = facts;
    this.queries = facts.queries.length;
    this.keys = facts.keys.length;
    this.shorts = shorts;
    this.scales = new Map();
  }

  /** Unpacks what the page carries: Base64 of deflated little-endian shorts. */
  static async unpack(facts, base64) {
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < bytes.length; i++) {
      bytes[i] = text.charCodeAt(i);
    }
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const view = new DataView(await new Response(stream).arrayBuffer());
    const shorts = new Uint16Array(view.byteLength / 2);
    for (let i = 0; i < shorts.length; i++) {
      shorts[i] = view.getUint16(2 * i, true);
    }
    return new Weights(facts, shorts);
  }

  /** The map of a layer and a head, in ten thousandths. */
  map(layer, head) {
    const size = this.queries * this.keys;
    const index = layer * (this.facts.heads + 1) + head;
    return this.shorts.subarray(index * size, (index + 1) * size);
  }

  at(layer, head, query, key) {
    return this.map(layer, head)[query * this.keys + key] / 10 ** Weights.DECIMALS;
  }

  /** The greatest weight between two tokens of the text, or of all where there are but special ones. */
  scale(layer, head) {
    const name = layer + " " + head;
    if (!this.scales.has(name)) {
      this.scales.set(name, this.greatest(this.map(layer, head)) / 10 ** Weights.DECIMALS);
    }
    return this.scales.get(name);
  }

  greatest(map) {
    let words = 0;
    let all = 0;
    for (let query = 0, i = 0; query < this.queries; query++) {
      for (let key = 0; key < this.keys; key++, i++) {
        all = Math.max(all, map[i]);
        if (!this.facts.specialQueries[query] && !this.facts.specialKeys[key]) {
          words = Math.max(words, map[i]);
        }
      }
    }
    return words > 0 ? words : all;
  }

  /** How strong a colour a weight gets, 0 to 1: by its root, which tells small weights apart. */
  static strength(weight, scale) {
    return scale > 0 ? Math.sqrt(Math.min(1, weight / scale)) : 0;
  }

  static format(weight) {
    return weight.toFixed(Weights.DECIMALS);
  }
}
