"""Byte-level BPE as GPT-2 has it: trained on a text, and applied."""

import collections
import re

SPECIAL = ("<|text|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>")
# GPT-2's words, where letters and digits are those of Python.
WORDS = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")


def alphabet():
    """The characters that stand for the 256 bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {**{byte: chr(byte) for byte in plain}, **{byte: chr(256 + i) for i, byte in enumerate(others)}}


class Tokens:
    """A vocabulary: special tokens, bytes, then merges in their order."""

    def __init__(self, text, size):
        letters = alphabet()
        words = collections.Counter(WORDS.findall(text))
        self.pieces = {word: tuple(letters[byte] for byte in word.encode()) for word in words}
        self.texts = [*SPECIAL, *sorted(letters.values(), key=lambda letter: (len(letter), letter))]
        self.merges = []
        self.counts = collections.Counter()
        self.places = collections.defaultdict(set)
        for word, count in words.items():
            self.note(word, count)
        while len(self.texts) < size:
            pair = max(self.counts, key=lambda pair: (self.counts[pair], pair))
            self.merges.append(pair)
            self.texts.append("".join(pair))
            for word in list(self.places[pair]):
                self.note(word, -words[word])
                self.pieces[word] = merged(self.pieces[word], pair)
                self.note(word, words[word])
        self.ids = {text: id for id, text in enumerate(self.texts)}
        self.ranks = {pair: rank for rank, pair in enumerate(self.merges)}
        self.letters = letters

    def note(self, word, count):
        pieces = self.pieces[word]
        for pair in zip(pieces, pieces[1:]):
            self.counts[pair] += count
            (self.places[pair].add if count > 0 else self.places[pair].discard)(word)

    def encode(self, text):
        return [self.ids[piece] for word in WORDS.findall(text) for piece in self.cut(word)]

    def cut(self, word):
        if word not in self.pieces:
            pieces = tuple(self.letters[byte] for byte in word.encode())
            while len(pieces) > 1:
                pair = min(zip(pieces, pieces[1:]), key=lambda pair: self.ranks.get(pair, len(self.ranks)))
                if pair not in self.ranks:
                    break
                pieces = merged(pieces, pair)
            self.pieces[word] = pieces
        return self.pieces[word]


def merged(pieces, pair):
    result, at = [], 0
    while at < len(pieces):
        both = pieces[at:at + 2] == pair
        result.append(pieces[at] + pieces[at + 1] if both else pieces[at])
        at += 2 if both else 1
    return tuple(result)
