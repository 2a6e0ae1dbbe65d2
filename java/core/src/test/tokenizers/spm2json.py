"""Writes the tokenizer.json of a SentencePiece model of pieces, with the parts that T5's has: spm2json.py MODEL JSON"""
import base64
import json
import struct
import sys


def fields(data):
    at = 0
    def varint():
        nonlocal at
        value = shift = 0
        while True:
            b = data[at]
            at += 1
            value |= (b & 127) << shift
            shift += 7
            if b < 128:
                return value
    while at < len(data):
        key = varint()
        kind = key & 7
        if kind == 0:
            yield key >> 3, varint()
        else:
            size = varint() if kind == 2 else {1: 8, 5: 4}[kind]
            at += size
            yield key >> 3, data[at - size:at]

pieces, charsmap, spaces = [], b'', True
for number, value in fields(open(sys.argv[1], 'rb').read()):
    if number == 1:
        piece = dict(fields(value))
        pieces.append((piece[1].decode(), struct.unpack('<f', piece.get(2, b'\0' * 4))[0], piece.get(3, 1)))
    elif number == 3:
        spec = dict(fields(value))
        charsmap = spec.get(2, b'')
unk = [i for i, p in enumerate(pieces) if p[2] == 2][0]
added = [{'id': i, 'content': p[0], 'single_word': False, 'lstrip': False, 'rstrip': False, 'normalized': False, 'special': True}
         for i, p in enumerate(pieces) if p[2] in (2, 3)]
json.dump({'version': '1.0', 'truncation': None, 'padding': None, 'added_tokens': added,
           'normalizer': {'type': 'Precompiled', 'precompiled_charsmap': base64.b64encode(charsmap).decode()},
           'pre_tokenizer': {'type': 'Sequence', 'pretokenizers': [{'type': 'WhitespaceSplit'},
             {'type': 'Metaspace', 'replacement': '▁', 'prepend_scheme': 'always', 'split': True}]},
           'post_processor': None, 'decoder': None,
           'model': {'type': 'Unigram', 'unk_id': unk, 'byte_fallback': False, 'vocab': [[p[0], p[1]] for p in pieces]}},
          open(sys.argv[2], 'w'), ensure_ascii=False)
