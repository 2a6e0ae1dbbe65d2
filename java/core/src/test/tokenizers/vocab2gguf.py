"""Writes a vocabulary as llama.cpp's converters write it to GGUF: vocab2gguf.py MODEL PRE FILE GGUF

MODEL and PRE are what tokenizer.ggml.model and tokenizer.ggml.pre shall say. FILE is a tokenizer.json, for "gpt2", "gemma4",
and "llama" (whose pieces get scores in the order of their ids, and those of spaces alone the least, as in Llama 2); or a
model of SentencePiece, for "t5".
"""
import json
import re
import struct
import sys

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)


def looks_special(token):
    return token in ('<pad>', '<mask>', '<2mass>', '[@BOS@]') or token.startswith('<|') and token.endswith('|>') \
        or token.startswith('<\uff5c') and token.endswith('\uff5c>') or token.startswith('<unused') and token.endswith('>')


def of_json(model, path):
    data = json.load(open(path, encoding='utf-8'))
    vocabulary = data['model']['vocab']
    added = {token['id']: token for token in data['added_tokens']}
    tokens = {**{i: t for t, i in vocabulary.items()}, **{i: t['content'] for i, t in added.items()}}
    size = max(tokens) + 1
    texts, types, scores = [], [], []
    for i in range(size):
        text = tokens.get(i)
        kind, score = NORMAL, -1e9 if text and not text.strip('\u2581') else -float(i)
        if text is None:
            text, kind, score = f'[PAD{i}]', UNUSED, -10000.0
        elif i in added:
            kind = CONTROL if added[i]['special'] or looks_special(text) else USER_DEFINED
            kind = UNKNOWN if model == 'llama' and text == data['model'].get('unk_token') else kind
            text = text.replace('\u2581', ' ') if kind == USER_DEFINED else text
            score = -1000.0
        elif model != 'gpt2' and re.fullmatch('<0x[0-9A-F]{2}>', text):
            kind, score = BYTE, 0.0
        texts.append(text)
        types.append(kind)
        scores.append(score)
    merges = [m if isinstance(m, str) else ' '.join(m) for m in data['model']['merges']]
    metadata = [('tokenizer.ggml.merges', merges)] if model != 'llama' else [('tokenizer.ggml.scores', scores)]
    if model != 'gpt2':
        normalizer = data['normalizer']
        prefix = any(n['type'] == 'Prepend' for n in normalizer.get('normalizers', [normalizer]))
        metadata.append(('tokenizer.ggml.add_space_prefix', prefix))
        metadata.append(('tokenizer.ggml.unknown_token_id', vocabulary['<unk>']))
    template = [p['SpecialToken']['id'] for p in (data['post_processor'] or {}).get('single', []) if 'SpecialToken' in p]
    metadata.append(('tokenizer.ggml.add_bos_token', bool(template)))
    bos = [i for i, t in enumerate(texts) if t in (template or ['<|begin_of_text|>', '<\uff5cbegin\u2581of\u2581sentence\uff5c>'])]
    if bos:
        metadata.append(('tokenizer.ggml.bos_token_id', bos[0]))
    return texts, types, metadata


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


def of_pieces(path):
    texts, types, scores, charsmap = [], [], [], b''
    for number, value in fields(open(path, 'rb').read()):
        if number == 1:
            piece = dict(fields(value))
            texts.append(piece[1].decode())
            scores.append(struct.unpack('<f', piece.get(2, b'\0' * 4))[0])
            types.append(piece.get(3, 1))
        elif number == 3:
            charsmap = dict(fields(value)).get(2, b'')
    return texts, types, [('tokenizer.ggml.scores', scores), ('tokenizer.ggml.add_space_prefix', True),
        ('tokenizer.ggml.remove_extra_whitespaces', True), ('tokenizer.ggml.precompiled_charsmap', charsmap),
        ('tokenizer.ggml.unknown_token_id', types.index(UNKNOWN)), ('tokenizer.ggml.add_eos_token', False)]


def string(text):
    data = text.encode()
    return struct.pack('<Q', len(data)) + data


def value(v):
    if isinstance(v, bool): return struct.pack('<I?', 7, v)
    if isinstance(v, int): return struct.pack('<II', 4, v)
    if isinstance(v, str): return struct.pack('<I', 8) + string(v)
    if isinstance(v, bytes): return struct.pack('<IIQ', 9, 0, len(v)) + v
    kind = {str: 8, float: 6, int: 5}[type(v[0])]
    body = b''.join(map(string, v)) if kind == 8 else struct.pack('<%d%s' % (len(v), 'fi'[kind == 5]), *v)
    return struct.pack('<IIQ', 9, kind, len(v)) + body


model, pre, source, target = sys.argv[1:]
texts, types, metadata = of_pieces(source) if model == 't5' else of_json(model, source)
metadata = [('general.architecture', 'llama'), ('tokenizer.ggml.model', model), ('tokenizer.ggml.pre', pre),
    ('tokenizer.ggml.tokens', texts), ('tokenizer.ggml.token_type', types)] + metadata
with open(target, 'wb') as out:
    out.write(b'GGUF' + struct.pack('<IQQ', 3, 0, len(metadata)))
    for key, v in metadata:
        out.write(string(key) + value(v))
