"""Writes the tokenizer.json of a GGUF vocabulary of byte-level BPE, as GPT-2 has it: gguf2json.py GGUF JSON"""
import json
import struct
import sys

data = open(sys.argv[1], 'rb').read()
at = 8


def take(f):
    global at
    number = struct.unpack_from('<' + f, data, at)[0]
    at += struct.calcsize('<' + f)
    return number


def string():
    global at
    n = take('Q')
    at += n
    return data[at - n:at].decode()


def value(kind):
    if kind == 8: return string()
    if kind == 9:
        inner, n = take('I'), take('Q')
        return [value(inner) for _ in range(n)]
    return take('BbHhIif?__Qqd'[kind])

take('Q')
n = take('Q')
meta = {}
for _ in range(n):
    key = string()
    meta[key] = value(take('I'))
tokens = meta['tokenizer.ggml.tokens']
types = meta.get('tokenizer.ggml.token_type', [1] * len(tokens))
vocab = {t: i for i, t in enumerate(tokens)}
json.dump({'version': '1.0', 'truncation': None, 'padding': None,
  'added_tokens': [{'id': i, 'content': t, 'single_word': False, 'lstrip': False, 'rstrip': False, 'normalized': False, 'special': True}
                   for i, t in enumerate(tokens) if types[i] in (3, 4)],
  'normalizer': None, 'pre_tokenizer': {'type': 'ByteLevel', 'add_prefix_space': False, 'trim_offsets': True, 'use_regex': True},
  'post_processor': None, 'decoder': None,
  'model': {'type': 'BPE', 'dropout': None, 'unk_token': None, 'continuing_subword_prefix': '', 'end_of_word_suffix': '',
            'fuse_unk': False, 'vocab': vocab, 'merges': meta['tokenizer.ggml.merges']}}, open(sys.argv[2], 'w'), ensure_ascii=False)
