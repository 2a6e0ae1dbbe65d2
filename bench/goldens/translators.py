"""Writes small T5 models of random weights, and what they compute in double precision.

    python3 bench/goldens/translators.py java/core/src/test/resources/dev/fovea/model/translator

golden/ has directories as transformers saves them, with expected.json: for sources, the tokens that a greedy search writes,
the logarithms of their probabilities, and of an encoder the vectors of texts. gguf/ has the same as llama.cpp's converter
writes them. The forward pass is written from the paper and the definitions in Hugging Face transformers. Weights are kept
as F16, to which they are rounded before anything is computed. The same seed gives the same files. Needs numpy.
"""

import json
import sys
from pathlib import Path

import numpy as np

from embedders import IDS, TEXTS, TOKENS, ids_of, modules, safetensors, softmax, tokenizer, unit, write

import container

WIDTH, HEADS, KEY, INNER, LAYERS, DECODER_LAYERS, STEPS = 24, 3, 10, 40, 3, 2, 24


def config(gated, tied, **more):
    return dict({"model_type": "t5", "vocab_size": len(TOKENS), "d_model": WIDTH, "d_kv": KEY, "d_ff": INNER,
                 "num_layers": LAYERS, "num_decoder_layers": DECODER_LAYERS, "num_heads": HEADS, "n_positions": 48,
                 "relative_attention_num_buckets": 8, "relative_attention_max_distance": 128, "layer_norm_epsilon": 1e-6,
                 "feed_forward_proj": "gated-gelu" if gated else "relu", "tie_word_embeddings": tied,
                 "decoder_start_token_id": 0, "eos_token_id": 2, "pad_token_id": 0, "is_encoder_decoder": True,
                 "architectures": ["T5ForConditionalGeneration"]}, **more)


def weights(c, random, decoder=True):
    found = {"shared.weight": random.normal(0, 0.4, (c["vocab_size"], WIDTH))}

    def linear(name, outputs, inputs, scale=1.0):
        found[name + ".weight"] = random.normal(0, scale / np.sqrt(inputs), (outputs, inputs))

    def norm(name):
        found[name + ".weight"] = 1 + random.normal(0, 0.2, WIDTH)

    for stack, layers in (("encoder", c["num_layers"]), ("decoder", c["num_decoder_layers"]))[:2 if decoder else 1]:
        for i in range(layers):
            p = "%s.block.%d.layer." % (stack, i)
            for place, name in enumerate(["SelfAttention", "EncDecAttention"][:1 if stack == "encoder" else 2]):
                for part in "qkv":
                    linear("%s%d.%s.%s" % (p, place, name, part), HEADS * KEY, WIDTH, 1)
                linear("%s%d.%s.o" % (p, place, name), WIDTH, HEADS * KEY, 3)
                norm("%s%d.layer_norm" % (p, place))
            if i == 0:
                found[p + "0.SelfAttention.relative_attention_bias.weight"] = random.normal(
                    0, 1.5, (c["relative_attention_num_buckets"], HEADS))
            p += "%d." % (1 if stack == "encoder" else 2)
            for name in ("wi_0", "wi_1") if c["feed_forward_proj"].startswith("gated") else ("wi",):
                linear(p + "DenseReluDense." + name, INNER, WIDTH)
            linear(p + "DenseReluDense.wo", WIDTH, INNER, 4)
            norm(p + "layer_norm")
        norm(stack + ".final_layer_norm")
    if decoder and not c["tie_word_embeddings"]:
        linear("lm_head", c["vocab_size"], WIDTH, 3)
    return {name: values.astype(np.float16) for name, values in found.items()}


def bucket(distance, c, causal):
    """Of key − query."""
    buckets, far, first = c["relative_attention_num_buckets"], -distance, 0
    if not causal:
        buckets //= 2
        first, far = (buckets if distance > 0 else 0), abs(distance)
    far, exact = max(far, 0), buckets // 2
    if far < exact:
        return first + far
    large = exact + int(np.float32(np.log(np.float32(far / exact))) / np.float32(
        np.log(c["relative_attention_max_distance"] / exact)) * np.float32(buckets - exact))
    return first + min(large, buckets - 1)


class T5:
    def __init__(self, w, c):
        self.c, self.w = c, {name: values.astype(np.float64) for name, values in w.items()}

    def norm(self, name, x):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + self.c["layer_norm_epsilon"]) * self.w[name + ".weight"]

    def linear(self, name, x):
        return x @ self.w[name + ".weight"].T

    def attention(self, name, x, source, bias):
        q, k, v = (self.linear("%s.%s" % (name, part), y).reshape(len(y), HEADS, KEY)
                   for part, y in (("q", x), ("k", source), ("v", source)))
        mixed = np.einsum("hqk,khd->qhd", softmax(np.einsum("qhd,khd->hqk", q, k) + bias), v)
        return self.linear(name + ".o", mixed.reshape(len(x), -1))

    def network(self, name, x):
        if name + ".wi.weight" in self.w:
            return self.linear(name + ".wo", np.maximum(self.linear(name + ".wi", x), 0))
        gate = self.linear(name + ".wi_0", x)
        gate = 0.5 * gate * (1 + np.tanh(np.sqrt(2 / np.pi) * (gate + 0.044715 * gate ** 3)))
        return self.linear(name + ".wo", gate * self.linear(name + ".wi_1", x))

    def stack(self, stack, ids, memory=None):
        causal, x, n = memory is not None, self.w["shared.weight"][ids], len(ids)
        table = self.w[stack + ".block.0.layer.0.SelfAttention.relative_attention_bias.weight"]
        bias = np.array([[table[bucket(j - i, self.c, causal)] for j in range(n)] for i in range(n)]).transpose(2, 0, 1)
        if causal:
            bias = np.where(np.tril(np.ones((n, n), bool)), bias, -np.inf)
        for i in range(self.c["num_decoder_layers" if causal else "num_layers"]):
            p = "%s.block.%d.layer." % (stack, i)
            h = self.norm(p + "0.layer_norm", x)
            x = x + self.attention(p + "0.SelfAttention", h, h, bias)
            if causal:
                x = x + self.attention(p + "1.EncDecAttention", self.norm(p + "1.layer_norm", x), memory, 0)
            p += "2." if causal else "1."
            x = x + self.network(p + "DenseReluDense", self.norm(p + "layer_norm", x))
        return self.norm(stack + ".final_layer_norm", x)

    def greedy(self, source):
        memory, ids, written, logs = self.stack("encoder", source), [0], [], []
        for _ in range(STEPS):
            x = self.stack("decoder", ids, memory)[-1]
            if self.c["tie_word_embeddings"]:
                x = x * self.c["d_model"] ** -0.5
            logits = self.w.get("lm_head.weight", self.w["shared.weight"]) @ x
            token = int(logits.argmax())
            written.append(token)
            logs.append(logits[token] - logits.max() - np.log(np.exp(logits - logits.max()).sum()))
            ids.append(token)
        return written, [round(x, 7) for x in logs]


NAMES = {"0.SelfAttention.%s" % a: "attn_" + a for a in "qkvo"} | {"1.EncDecAttention.%s" % a: "cross_attn_" + a for a in "qkvo"}
NAMES |= {"0.SelfAttention.relative_attention_bias": "attn_rel_b", "0.layer_norm": "attn_norm"}
INNER_NAMES = {"wi": "ffn_up", "wi_0": "ffn_gate", "wi_1": "ffn_up", "wo": "ffn_down"}


def gguf(path, c, w, architecture):
    tensors = {}
    for name, values in w.items():
        parts, stack = name.split("."), name[:3] + "."
        part = ".".join(parts[4:-1])
        if parts[0] in ("shared", "lm_head"):
            target = {"shared": "token_embd", "lm_head": "output"}[parts[0]]
        elif parts[1] == "final_layer_norm":
            target = stack + "output_norm"
        elif "DenseReluDense" in part:
            target = "%sblk.%s.%s" % (stack, parts[2], INNER_NAMES[parts[-2]])
        elif part.endswith("layer_norm") and part[0] != "0":
            cross = stack == "dec." and part[0] == "1"
            target = "%sblk.%s.%s" % (stack, parts[2], "cross_attn_norm" if cross else "ffn_norm")
        else:
            target = "%sblk.%s.%s" % (stack, parts[2], NAMES[part])
        matrix = values.ndim == 2 and not target.endswith("attn_rel_b")
        tensors[target + ".weight"] = (values.astype(np.float64), "F16" if matrix else "F32")
    settings = {"context_length": c["n_positions"], "embedding_length": WIDTH, "feed_forward_length": INNER,
                "block_count": c["num_layers"], "attention.head_count": HEADS, "attention.key_length": KEY,
                "attention.value_length": KEY, "attention.relative_buckets_count": c["relative_attention_num_buckets"],
                "attention.layer_norm_epsilon": c["layer_norm_epsilon"],
                "attention.layer_norm_rms_epsilon": c["layer_norm_epsilon"]}
    if architecture == "t5":
        settings |= {"decoder_block_count": c["num_decoder_layers"], "decoder_start_token_id": 0}
    else:
        settings["pooling_type"] = 1
    path.parent.mkdir(parents=True, exist_ok=True)
    container.write(path, {
        "general.architecture": architecture, **{architecture + "." + key: value for key, value in settings.items()},
        "tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": TOKENS,
        "tokenizer.ggml.scores": [0.0] * 3 + [-100.0] * 12 + [-float(i) for i in range(len(TOKENS) - 15)],
        "tokenizer.ggml.token_type": [2, 3, 3] + [1] * (len(TOKENS) - 3), "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2, "tokenizer.ggml.unknown_token_id": 0, "tokenizer.ggml.padding_token_id": 0,
        "tokenizer.ggml.add_bos_token": False, "tokenizer.ggml.add_eos_token": True}, tensors)


def main():
    target = Path(sys.argv[1])
    for seed, (name, c) in enumerate({"flan-t5": config(True, False), "t5": config(False, True)}.items()):
        w = weights(c, np.random.default_rng(seed + 6))
        folder, model = target / "golden" / name, T5(w, c)
        write(folder / "config.json", c)
        write(folder / "tokenizer.json", tokenizer(False, True))
        safetensors(folder / "model.safetensors", w)
        cases = []
        for text in TEXTS:
            tokens, logs = model.greedy(ids_of(text, eos=True))
            cases.append({"text": text, "tokens": tokens, "log_probabilities": logs})
        (folder / "expected.json").write_text(json.dumps(cases).replace("}, ", "},\n ") + "\n")
        gguf(target / "gguf" / (name + ".gguf"), c, w, "t5")
    c = config(True, True, architectures=["T5EncoderModel"])
    w = weights(c, np.random.default_rng(9), False)
    folder, dense = target / "golden" / "sentence-t5", np.random.default_rng(1).normal(0, 0.2, (16, WIDTH)).astype(np.float16)
    write(folder / "config.json", c)
    write(folder / "tokenizer.json", tokenizer(False, True))
    safetensors(folder / "model.safetensors", w)
    modules(folder, "Transformer", "Pooling", "Dense", "Normalize")
    write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": WIDTH, "pooling_mode_mean_tokens": True})
    write(folder / "2_Dense" / "config.json", {"in_features": WIDTH, "out_features": 16, "bias": False,
                                               "activation_function": "torch.nn.modules.linear.Identity"})
    safetensors(folder / "2_Dense" / "model.safetensors", {"linear.weight": dense})
    vectors = {text: T5(w, c).stack("encoder", ids_of(text, eos=True)).mean(0) for text in TEXTS}
    write(folder / "expected.json", {text: {
        "dense": [round(x, 8) for x in unit(dense.astype(np.float64) @ v).tolist()],
        "plain": [round(x, 8) for x in unit(v).tolist()]} for text, v in vectors.items()})
    gguf(target / "gguf" / "t5-encoder.gguf", c, w, "t5encoder")


if __name__ == "__main__":
    main()
