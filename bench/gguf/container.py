"""GGUF files, as ggml's docs/gguf.md has them: written, read, and the types of their tensors in numpy.

The quantizers are plain: they round to the nearest value, and take no care for errors of whole rows as llama.cpp's may.
Dequantizing is in double.
"""

import struct

import numpy as np

# Those with K, and IQ4_NL, are read alone. name: number, bytes of a block, values of a block
TYPES = {"F32": (0, 4, 1), "F16": (1, 2, 1), "BF16": (30, 2, 1), "Q4_0": (2, 18, 32), "Q4_1": (3, 20, 32),
         "Q5_0": (6, 22, 32), "Q5_1": (7, 24, 32), "Q8_0": (8, 34, 32), "Q2_K": (10, 84, 256), "Q3_K": (11, 110, 256),
         "Q4_K": (12, 144, 256), "Q5_K": (13, 176, 256), "Q6_K": (14, 210, 256), "IQ4_NL": (20, 18, 32)}
IQ4 = np.array([-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], np.float64)
NAMES = {number: name for name, (number, _, _) in TYPES.items()}
UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
FORMATS = {0: "B", 1: "b", 2: "H", 3: "h", UINT32: "I", INT32: "i", FLOAT32: "f", BOOL: "?", 10: "Q", 11: "q", 12: "d"}
ALIGNMENT = 32


def halves(x):
    return x.astype("<f2").view(np.uint8).reshape(len(x), 2)


def nibbles(q):
    return (q[:, :16] | q[:, 16:] << 4).astype(np.uint8)


def quantize(values, name):
    """The bytes of float32 values, whose rows are whole blocks."""
    flat = np.ascontiguousarray(values, np.float32).reshape(-1)
    if name == "F32":
        return flat.tobytes()
    if name == "F16":
        return flat.astype("<f2").tobytes()
    if name == "BF16":
        bits = flat.view(np.uint32).astype(np.uint64)
        return ((bits + 0x7fff + (bits >> 16 & 1)) >> 16).astype("<u2").tobytes()
    x = flat.reshape(-1, 32)
    if name == "Q8_0":
        d = (np.abs(x).max(1) / 127).astype(np.float16).astype(np.float32)
        q = np.rint(x / np.where(d == 0, 1, d)[:, None]).clip(-127, 127).astype(np.int8)
        return np.concatenate([halves(d), q.view(np.uint8)], 1).tobytes()
    five, minimum = name[1] == "5", name.endswith("_1")
    most = 31 if five else 15
    if minimum:
        m = x.min(1).astype(np.float16).astype(np.float32)
        d = ((x.max(1) - m) / most).astype(np.float16).astype(np.float32)
        q = np.rint((x - m[:, None]) / np.where(d == 0, 1, d)[:, None])
    else:
        far = x[np.arange(len(x)), np.abs(x).argmax(1)]
        zero = (most + 1) // 2
        d = (far / -zero).astype(np.float16).astype(np.float32)
        q = np.rint(x / np.where(d == 0, 1, d)[:, None]) + zero
    q = q.clip(0, most).astype(np.uint32)
    parts = [halves(d)] + ([halves(m)] if minimum else [])
    if five:
        fifth = ((q >> 4) << np.arange(32, dtype=np.uint32)).sum(1).astype("<u4")
        parts.append(fifth.view(np.uint8).reshape(-1, 4))
    return np.concatenate(parts + [nibbles(q & 15)], 1).tobytes()


def dequantize(data, name):
    """float64 of the bytes of a tensor."""
    if name == "F32":
        return np.frombuffer(data, "<f4").astype(np.float64)
    if name == "F16":
        return np.frombuffer(data, "<f2").astype(np.float64)
    if name == "BF16":
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    blocks = np.frombuffer(data, np.uint8).reshape(-1, TYPES[name][1])
    half = lambda at: np.ascontiguousarray(blocks[:, at:at + 2]).view("<f2").astype(np.float64)
    if name == "Q8_0":
        return (half(0) * blocks[:, 2:].view(np.int8)).reshape(-1)
    if name == "Q6_K":
        low, high = blocks[:, :128].reshape(-1, 2, 2, 32), blocks[:, 128:192].reshape(-1, 2, 1, 32)
        low = np.concatenate([low & 15, low >> 4], 2)
        q = (low | (high >> np.array([0, 2, 4, 6], np.uint8)[:, None] & 3) << 4).reshape(-1, 16, 16).astype(np.float64)
        return (half(208)[:, :, None] * blocks[:, 192:208].view(np.int8)[:, :, None] * (q - 32)).reshape(-1)
    if name == "IQ4_NL":
        return (half(0) * IQ4[np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], 1)]).reshape(-1)
    if name in ("Q2_K", "Q3_K"):
        at = 16 if name == "Q2_K" else 32
        q = blocks[:, at:at + 64].reshape(-1, 2, 1, 32) >> np.array([0, 2, 4, 6], np.uint8)[:, None] & 3
        q = q.reshape(-1, 16, 16).astype(np.float64)
        if name == "Q2_K":
            s = blocks[:, :16]
            return ((half(80) * (s & 15))[:, :, None] * q - (half(82) * (s >> 4))[:, :, None]).reshape(-1)
        third = blocks[:, :32].reshape(-1, 1, 32) >> np.arange(8, dtype=np.uint8)[:, None] & 1
        s = blocks[:, 96:108]
        high = s[:, None, 8:] >> np.array([0, 2, 4, 6], np.uint8)[:, None] & 3
        scale = np.concatenate([s[:, :8] & 15, s[:, :8] >> 4], 1) | high.reshape(-1, 16) << 4
        return ((half(108) * (scale - 32.0))[:, :, None] * (q + 4 * third.reshape(-1, 16, 16) - 4)).reshape(-1)
    if name.endswith("_K"):
        s = blocks[:, 4:16]
        scale = np.concatenate([s[:, :4] & 63, s[:, 8:] & 15 | s[:, :4] >> 6 << 4], 1).astype(np.float64)
        least = np.concatenate([s[:, 4:8] & 63, s[:, 8:] >> 4 | s[:, 4:8] >> 6 << 4], 1).astype(np.float64)
        pairs = blocks[:, -128:].reshape(-1, 4, 1, 32)
        q = np.concatenate([pairs & 15, pairs >> 4], 2).reshape(-1, 8, 32)
        if name == "Q5_K":
            q = q | (blocks[:, 16:48].reshape(-1, 1, 32) >> np.arange(8, dtype=np.uint8)[:, None] & 1) << 4
        return ((half(0) * scale)[:, :, None] * q - (half(2) * least)[:, :, None]).reshape(-1)
    five, minimum = name[1] == "5", name.endswith("_1")
    at = 4 if minimum else 2
    packed = blocks[:, -16:]
    q = np.concatenate([packed & 15, packed >> 4], 1).astype(np.float64)
    if five:
        fifth = np.ascontiguousarray(blocks[:, at:at + 4]).view("<u4")
        q += 16 * (fifth >> np.arange(32, dtype=np.uint32) & 1)
    if minimum:
        return (half(0) * q + half(2)).reshape(-1)
    return (half(0) * (q - (16 if five else 8))).reshape(-1)


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def value_bytes(value):
    """A value with its type: of a bool, int, float, str, or a list of these."""
    if isinstance(value, bool):
        return struct.pack("<I?", BOOL, value)
    if isinstance(value, int):
        return struct.pack("<II", UINT32, value)
    if isinstance(value, float):
        return struct.pack("<If", FLOAT32, value)
    if isinstance(value, str):
        return struct.pack("<I", STRING) + text(value)
    if isinstance(value[0], str):
        return struct.pack("<IIQ", ARRAY, STRING, len(value)) + b"".join(map(text, value))
    if isinstance(value[0], float):
        return struct.pack("<IIQ%df" % len(value), ARRAY, FLOAT32, len(value), *value)
    return struct.pack("<IIQ%di" % len(value), ARRAY, INT32, len(value), *value)


def write(path, metadata, tensors):
    """tensors: name to (array, name of a type)."""
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(metadata))
    head += b"".join(text(key) + value_bytes(value) for key, value in metadata.items())
    data = b""
    for name, (array, kind) in tensors.items():
        data += bytes(-len(data) % ALIGNMENT)
        sizes = array.shape[::-1]
        head += text(name) + struct.pack("<I%dQIQ" % len(sizes), len(sizes), *sizes, TYPES[kind][0], len(data))
        data += quantize(array, kind)
    data += bytes(-len(data) % ALIGNMENT)
    with open(path, "wb") as file:
        file.write(head + bytes(-len(head) % ALIGNMENT) + data)


class Reader:
    """Metadata and tensors, in double, of a file that is trusted."""

    def __init__(self, path, values=True):
        self.bytes = open(path, "rb").read()
        self.at = 8
        tensors, pairs = self.take("QQ")
        self.metadata = {}
        for _ in range(pairs):
            key = self.text()
            self.metadata[key] = self.value(self.take("I")[0])
        infos = []
        for _ in range(tensors):
            name = self.text()
            sizes = self.take("%dQ" % self.take("I")[0])
            infos.append((name, sizes[::-1], *self.take("IQ")))
        start = self.at + -self.at % self.metadata.get("general.alignment", ALIGNMENT)
        self.types, self.tensors = {}, {}
        for name, shape, number, offset in infos:
            kind = self.types[name] = NAMES[number]
            if values:
                _, block, count = TYPES[kind]
                size = int(np.prod(shape)) // count * block
                data = self.bytes[start + offset:start + offset + size]
                self.tensors[name] = dequantize(data, kind).reshape(shape)

    def take(self, form):
        values = struct.unpack_from("<" + form, self.bytes, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def text(self):
        size = self.take("Q")[0]
        self.at += size
        return self.bytes[self.at - size:self.at].decode()

    def value(self, kind):
        if kind == STRING:
            return self.text()
        if kind != ARRAY:
            return self.take(FORMATS[kind])[0]
        kind, count = self.take("IQ")
        return [self.value(kind) for _ in range(count)]
