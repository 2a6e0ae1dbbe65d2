"""llama.cpp as a library, by ctypes: quantizing a file, tokens of a text, its vector.

The library is that of npm's @node-llama-cpp/linux-x64@3.21.1 (MIT), llama.cpp 0.4.0-dev: `npm pack` and unpack it; DIR is
package/bins/linux-x64. Its structs have changed before, so their sizes are checked and fields are set by offset.
"""

import ctypes
import glob
import os
import struct

import numpy as np

MODEL_PARAMS, CONTEXT_PARAMS, QUANTIZE_FTYPE = 80, 160, 4
POOLING_TYPE, FLASH_ATTENTION, THREADS = 44, 52, (28, 32)
FTYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7, "Q5_0": 8, "Q5_1": 9, "Q2_K": 10, "Q3_K_S": 11,
          "Q3_K_M": 12, "Q4_K_S": 14, "Q4_K_M": 15, "Q5_K_S": 16, "Q5_K_M": 17, "Q6_K": 18, "IQ4_NL": 25, "BF16": 32}


class ModelParams(ctypes.Structure):
    _fields_ = [("bytes", ctypes.c_char * MODEL_PARAMS)]


class ContextParams(ctypes.Structure):
    _fields_ = [("bytes", ctypes.c_char * CONTEXT_PARAMS)]


class QuantizeParams(ctypes.Structure):
    _fields_ = [("bytes", ctypes.c_char * 256)]


class Batch(ctypes.Structure):
    _fields_ = [("n_tokens", ctypes.c_int32), ("token", ctypes.c_void_p), ("embd", ctypes.c_void_p),
                ("pos", ctypes.c_void_p), ("n_seq_id", ctypes.c_void_p), ("seq_id", ctypes.c_void_p),
                ("logits", ctypes.c_void_p)]


LOG = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)


class Llama:
    def __init__(self, folder):
        for name in ("libggml-base", "libggml", "libllama"):
            path = sorted(path for path in glob.glob(os.path.join(folder, name + ".*")) if ".so" in path)[0]
            self.library = ctypes.CDLL(path, ctypes.RTLD_GLOBAL)
        self.log = LOG(self.on_log)
        self.messages = []
        self.library.llama_log_set(self.log, None)
        self.call("ggml_backend_load_all_from_path", None, ctypes.c_char_p(folder.encode()))
        self.library.llama_backend_init()

    def on_log(self, level, message, _):
        if level >= 3:
            self.messages.append(message.decode(errors="replace"))

    def call(self, name, result, *arguments):
        function = getattr(self.library, name)
        function.restype = result
        return function(*arguments)

    def quantize(self, source, target, kind):
        params = self.call("llama_model_quantize_default_params", QuantizeParams)
        ctypes.memmove(ctypes.addressof(params) + QUANTIZE_FTYPE, struct.pack("<i", FTYPES[kind]), 4)
        status = self.call("llama_model_quantize", ctypes.c_uint32, source.encode(), target.encode(), ctypes.byref(params))
        if status:
            raise RuntimeError("llama_model_quantize: %d\n%s" % (status, "".join(self.messages[-8:])))

    def load(self, path, tokens=512, encodes=True):
        return Encoder(self, path, tokens, encodes)


class Encoder:
    def __init__(self, llama, path, tokens, encodes):
        self.llama = llama
        params = llama.call("llama_model_default_params", ModelParams)
        self.model = llama.call("llama_model_load_from_file", ctypes.c_void_p, path.encode(), params)
        if not self.model:
            raise RuntimeError("llama.cpp does not load %s\n%s" % (path, "".join(llama.messages[-8:])))
        self.model = ctypes.c_void_p(self.model)
        self.vocabulary = ctypes.c_void_p(llama.call("llama_model_get_vocab", ctypes.c_void_p, self.model))
        # Encoders have no memory; the layers of language models do, also where their states are pooled.
        self.run = "llama_encode" if encodes else "llama_decode"
        self.width = llama.call("llama_model_n_embd", ctypes.c_int32, self.model)
        params = llama.call("llama_context_default_params", ContextParams)
        at = ctypes.addressof(params)
        for offset, value in ((0, tokens), (4, tokens), (8, tokens), (THREADS[0], 1), (THREADS[1], 1), (FLASH_ATTENTION, 0)):
            ctypes.memmove(at + offset, struct.pack("<i", value), 4)
        self.context = ctypes.c_void_p(llama.call("llama_init_from_model", ctypes.c_void_p, self.model, params))
        if not self.context.value:
            raise RuntimeError("".join(llama.messages[-8:]))
        llama.call("llama_set_embeddings", None, self.context, ctypes.c_bool(True))

    def tokens(self, text):
        data = text.encode()
        ids = (ctypes.c_int32 * (len(data) + 8))()
        count = self.llama.call("llama_tokenize", ctypes.c_int32, self.vocabulary, ctypes.c_char_p(data), len(data), ids,
                                len(ids), ctypes.c_bool(True), ctypes.c_bool(False))
        return list(ids[:count])

    def vector(self, ids):
        tokens = (ctypes.c_int32 * len(ids))(*ids)
        batch = self.llama.call("llama_batch_get_one", Batch, tokens, len(ids))
        memory = self.llama.call("llama_get_memory", ctypes.c_void_p, self.context)
        if memory:
            self.llama.call("llama_memory_clear", None, ctypes.c_void_p(memory), ctypes.c_bool(True))
        status = self.llama.call(self.run, ctypes.c_int32, self.context, batch)
        if status:
            raise RuntimeError("no vector: %d\n%s" % (status, "".join(self.llama.messages[-8:])))
        self.llama.call("llama_synchronize", None, self.context)
        pooled = self.llama.call("llama_get_embeddings_seq", ctypes.POINTER(ctypes.c_float), self.context, 0)
        if not pooled:
            raise RuntimeError("no embeddings\n" + "".join(self.llama.messages[-8:]))
        vector = np.ctypeslib.as_array(pooled, (self.width,)).astype(np.float64)
        return vector / np.linalg.norm(vector)

    def goes_on(self, prompt, steps):
        """The likeliest tokens behind a prompt, and the logarithms of their probabilities."""
        self.llama.call("llama_set_embeddings", None, self.context, ctypes.c_bool(False))
        memory = ctypes.c_void_p(self.llama.call("llama_get_memory", ctypes.c_void_p, self.context))
        self.llama.call("llama_memory_clear", None, memory, ctypes.c_bool(True))
        return self.write(prompt, steps)

    def logits(self, prompt, path):
        """Those of the next token behind a prompt, and behind each token of a path but its last: [len(path), vocabulary]."""
        self.llama.call("llama_set_embeddings", None, self.context, ctypes.c_bool(False))
        memory = ctypes.c_void_p(self.llama.call("llama_get_memory", ctypes.c_void_p, self.context))
        self.llama.call("llama_memory_clear", None, memory, ctypes.c_bool(True))
        return np.array([self.step(tokens) for tokens in [prompt] + [[token] for token in path[:-1]]])

    def translated(self, source, start, path):
        """The logits behind the start and each token of a path but its last, of a model with an encoder."""
        self.encode(source)
        return np.array([self.step([token]) for token in [start] + path[:-1]])

    def encode(self, source):
        """Lets the encoder read a source; the decoder forgets what it has written."""
        self.llama.call("llama_set_embeddings", None, self.context, ctypes.c_bool(False))
        tokens = (ctypes.c_int32 * len(source))(*source)
        batch = self.llama.call("llama_batch_get_one", Batch, tokens, len(source))
        if self.llama.call("llama_encode", ctypes.c_int32, self.context, batch):
            raise RuntimeError("".join(self.llama.messages[-8:]))
        memory = ctypes.c_void_p(self.llama.call("llama_get_memory", ctypes.c_void_p, self.context))
        self.llama.call("llama_memory_clear", None, memory, ctypes.c_bool(True))

    def step(self, tokens):
        """Reads tokens behind those that there are; the logits of the next one."""
        size = self.llama.call("llama_vocab_n_tokens", ctypes.c_int32, self.vocabulary)
        kept = (ctypes.c_int32 * len(tokens))(*tokens)  # the batch points to it
        batch = self.llama.call("llama_batch_get_one", Batch, kept, len(tokens))
        if self.llama.call("llama_decode", ctypes.c_int32, self.context, batch):
            raise RuntimeError("".join(self.llama.messages[-8:]))
        row = self.llama.call("llama_get_logits_ith", ctypes.POINTER(ctypes.c_float), self.context, -1)
        return np.ctypeslib.as_array(row, (size,)).astype(np.float64)

    def write(self, first, steps):
        tokens, written, logs = first, [], []
        for _ in range(steps):
            logits = self.step(tokens)
            tokens = [int(logits.argmax())]
            written += tokens
            logs.append(-np.log(np.exp(logits - logits.max()).sum()))
        return written, logs

    def greedy(self, source, start, steps):
        """The likeliest tokens that a model with a decoder writes for a source, and the logarithms of their probabilities."""
        self.encode(source)
        return self.write([start], steps)

    def close(self):
        self.llama.call("llama_free", None, self.context)
        self.llama.call("llama_model_free", None, self.model)
