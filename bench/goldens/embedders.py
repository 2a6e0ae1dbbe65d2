"""Writes small language models of random weights that embed and rerank, and what they compute in double precision.

    python3 bench/goldens/embedders.py java/core/src/test/resources/dev/fovea/model/embedder

Each folder is a directory in the layout of sentence-transformers, with expected.json: vectors of texts, or scores of pairs.
Two are in gguf/ too, as llama.cpp's converter writes them. The forward pass is written from the papers and the definitions
in Hugging Face transformers, on purpose without anything in common with Fovea's own code. Weights are kept as F16, to which
they are rounded before anything is computed. The same seed gives the same files. Needs python3 with numpy.
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "gguf"))

import container  # noqa: E402

WORDS = ["w%d" % i for i in range(20)]
PIECES = ["<unk>", "<s>", "</s>", "\u2581", "w", *"0123456789", "\u2581w"]
FIRST = len(PIECES)
TOKENS = PIECES + ["\u2581" + word for word in WORDS] + ["yes", "no"]
IDS = {digit: PIECES.index(digit) for digit in "0123456789"}
IDS |= {word: FIRST + i for i, word in enumerate(WORDS)} | {"yes": len(TOKENS) - 2, "no": len(TOKENS) - 1}
TEXTS = ["w1 w2 w3", "w7", " ".join("w%d" % (7 * i % 20) for i in range(19)), "w0 w19 w5 w5 w5 w11"]
PAIRS = [("w1 w2", "w3 w4 w5"), ("w1 w2", "w6"), ("w17", "w1 w2 w3 w4 w5 w6 w7 w8")]
WIDTH, HEADS, KV_HEADS, HEAD_DIM, INNER = 24, 4, 2, 8, 40


def config(kind, layers, **more):
    return dict({"model_type": kind, "vocab_size": len(TOKENS), "hidden_size": WIDTH, "num_hidden_layers": layers,
                 "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS, "head_dim": HEAD_DIM,
                 "intermediate_size": INNER, "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "hidden_act": "silu",
                 "rope_theta": 1000.0, "tie_word_embeddings": True}, **more)


def weights(c, random, prefix):
    found = {}

    def linear(name, outputs, inputs):
        found[name + ".weight"] = random.normal(0, 1.3 / np.sqrt(inputs), (outputs, inputs))

    def norm(name, width):
        found[name + ".weight"] = (0 if c["model_type"] == "gemma3_text" else 1) + random.normal(0, 0.2, width)

    found[prefix + "embed_tokens.weight"] = random.normal(0, 0.5, (c["vocab_size"], WIDTH))
    for i in range(c["num_hidden_layers"]):
        p = "%slayers.%d." % (prefix, i)
        for name, rows in (("q", HEADS), ("k", KV_HEADS), ("v", KV_HEADS)):
            linear(p + "self_attn.%s_proj" % name, rows * HEAD_DIM, WIDTH)
        linear(p + "self_attn.o_proj", WIDTH, HEADS * HEAD_DIM)
        if c["model_type"] != "mistral":
            norm(p + "self_attn.q_norm", HEAD_DIM)
            norm(p + "self_attn.k_norm", HEAD_DIM)
        linear(p + "mlp.gate_proj", INNER, WIDTH)
        linear(p + "mlp.up_proj", INNER, WIDTH)
        linear(p + "mlp.down_proj", WIDTH, INNER)
        norms = ["input_layernorm", "post_attention_layernorm"]
        if c["model_type"] == "gemma3_text":
            norms += ["pre_feedforward_layernorm", "post_feedforward_layernorm"]
        for name in norms:
            norm(p + name, WIDTH)
    norm(prefix + "norm", WIDTH)
    return {name: values.astype(np.float16) for name, values in found.items()}


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def rotated(x, theta):
    """x [tokens, heads, head_dim]."""
    half = HEAD_DIM // 2
    angle = np.outer(np.arange(len(x)), theta ** (-np.arange(half) / half))[:, None]
    first, second = x[..., :half], x[..., half:]
    return np.concatenate([first * np.cos(angle) - second * np.sin(angle),
                           second * np.cos(angle) + first * np.sin(angle)], -1)


def hidden(w, c, ids, prefix):
    """The last hidden states [tokens, width]."""
    w = {name.removeprefix(prefix): values.astype(np.float64) for name, values in w.items()}
    gemma = c["model_type"] == "gemma3_text"

    def norm(name, x):
        scale = w[name + ".weight"] + (1 if gemma else 0)
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + c["rms_norm_eps"]) * scale

    def linear(name, x):
        return x @ w[name + ".weight"].T

    def inner(x):
        gate = linear(p + "mlp.gate_proj", x)
        if gemma:
            gate = 0.5 * gate * (1 + np.tanh(np.sqrt(2 / np.pi) * (gate + 0.044715 * gate ** 3)))
        else:
            gate = gate / (1 + np.exp(-gate))
        return linear(p + "mlp.down_proj", gate * linear(p + "mlp.up_proj", x))

    x = w["embed_tokens.weight"][ids] * (np.sqrt(WIDTH) if gemma else 1)
    tokens = len(ids)
    distance = np.subtract.outer(np.arange(tokens), np.arange(tokens))  # query − key
    for i in range(c["num_hidden_layers"]):
        p = "layers.%d." % i
        window = gemma and (i + 1) % 6 != 0
        h = norm(p + "input_layernorm", x)
        q, k, v = (linear(p + "self_attn.%s_proj" % name, h).reshape(tokens, -1, HEAD_DIM) for name in "qkv")
        if c["model_type"] != "mistral":
            q, k = norm(p + "self_attn.q_norm", q), norm(p + "self_attn.k_norm", k)
        theta = c["rope_local_base_freq"] if window else c["rope_theta"]
        q, k = rotated(q, theta), rotated(k, theta)
        sees = np.abs(distance) <= c["sliding_window"] // 2 if window else distance >= (-tokens if gemma else 0)
        mixed = np.zeros_like(q)
        for head in range(HEADS):
            kv = head // (HEADS // KV_HEADS)
            scores = q[:, head] @ k[:, kv].T * (c["query_pre_attn_scalar"] if gemma else HEAD_DIM) ** -0.5
            mixed[:, head] = softmax(np.where(sees, scores, -np.inf)) @ v[:, kv]
        attended = linear(p + "self_attn.o_proj", mixed.reshape(tokens, -1))
        if gemma:
            x = x + norm(p + "post_attention_layernorm", attended)
            x = x + norm(p + "post_feedforward_layernorm", inner(norm(p + "pre_feedforward_layernorm", x)))
        else:
            x = x + attended
            x = x + inner(norm(p + "post_attention_layernorm", x))
    return norm("norm", x)


def unit(x):
    return x / np.linalg.norm(x)


def safetensors(path, tensors):
    header, data = {}, b""
    for name, values in tensors.items():
        header[name] = {"dtype": "F16", "shape": list(values.shape), "data_offsets": [len(data), len(data) + values.nbytes]}
        data += values.astype("<f2").tobytes()
    text = json.dumps(header, separators=(",", ":")).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def tokenizer(bos, eos):
    special = {name: {"id": name, "ids": [TOKENS.index(name)], "tokens": [name]} for name in ("<s>", "</s>")}
    around = lambda kind: [{"SpecialToken": {"id": kind, "type_id": 0}}]
    template = (around("<s>") if bos else []) + [{"Sequence": {"id": "A", "type_id": 0}}] + (around("</s>") if eos else [])
    pair = template + [{"Sequence": {"id": "B", "type_id": 0}}]
    processor = {"type": "TemplateProcessing", "single": template, "pair": pair, "special_tokens": special}
    added = [{"id": i, "content": TOKENS[i], "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
              "special": True} for i in range(3)]
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
            "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": processor if bos or eos else None, "decoder": None,
            "model": {"type": "WordLevel", "unk_token": "<unk>", "vocab": dict({"<unk>": 0, "<s>": 1, "</s>": 2}, **IDS)}}


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n")


def modules(folder, *types):
    place = {"Transformer": "sentence_transformers.models.", "LogitScore":
             "sentence_transformers.cross_encoder.modules.logit_score."}
    write(folder / "modules.json", [
        {"idx": i, "name": str(i), "path": "" if i == 0 else "%d_%s" % (i, kind),
         "type": place.get(kind, "sentence_transformers.models.") + kind} for i, kind in enumerate(types)])


def ids_of(text, bos=False, eos=False):
    return [1] * bos + [IDS.get(word, 0) for word in text.split()] + [2] * eos


def model(folder, c, w, bos, eos):
    write(folder / "config.json", c)
    write(folder / "tokenizer.json", tokenizer(bos, eos))
    safetensors(folder / "model.safetensors", w)


def embedder(target, name, c, prefix, pooling, bos, eos, dense=(), prompt=""):
    random = np.random.default_rng(sum(map(ord, name)))
    w, folder = weights(c, random, prefix), target / "golden" / name
    model(folder, c, w, bos, eos)
    modules(folder, "Transformer", "Pooling", *["Dense"] * len(dense), "Normalize")
    flag = "pooling_mode_" + {"mean": "mean_tokens"}.get(pooling, pooling)
    write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": WIDTH, flag: True, "include_prompt": True})
    write(folder / "config_sentence_transformers.json", {
        "prompts": {"query": prompt, "document": ""}, "default_prompt_name": None, "similarity_fn_name": "cosine"})
    matrices = []
    for i, (outputs, inputs) in enumerate(dense):
        matrices.append(random.normal(0, inputs ** -0.5, (outputs, inputs)).astype(np.float16))
        write(folder / ("%d_Dense" % (i + 2)) / "config.json", {
            "in_features": inputs, "out_features": outputs, "bias": False,
            "activation_function": "torch.nn.modules.linear.Identity"})
        safetensors(folder / ("%d_Dense" % (i + 2)) / "model.safetensors", {"linear.weight": matrices[-1]})
    vectors = {}
    for text in TEXTS + [prompt + text for text in TEXTS[:1] if prompt]:
        states = hidden(w, c, ids_of(text, bos, eos), prefix)
        vector = states[-1] if pooling == "lasttoken" else states.mean(0)
        for matrix in matrices:
            vector = matrix.astype(np.float64) @ vector
        vectors[text] = [round(x, 8) for x in unit(vector).tolist()]
    write(folder / "expected.json", vectors)
    return w, matrices


NAMES = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
         "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
         "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm",
         "post_attention_layernorm": "ffn_norm"}
GEMMA = {"post_attention_layernorm": "post_attention_norm", "pre_feedforward_layernorm": "ffn_norm",
         "post_feedforward_layernorm": "post_ffw_norm"}


def gguf(path, c, w, matrices, architecture, pooling, bos, eos):
    gemma, tensors = architecture.startswith("gemma"), {}
    for name, values in w.items():
        parts = name.removeprefix("model.").split(".")
        values = values.astype(np.float64) + (1 if gemma and values.ndim == 1 else 0)
        target = "blk.%s.%s.weight" % (parts[1], dict(NAMES, **GEMMA if gemma else {})[".".join(parts[2:-1])]) \
            if parts[0] == "layers" else {"embed_tokens": "token_embd", "norm": "output_norm"}[parts[0]] + ".weight"
        tensors[target] = (values, "F16" if values.ndim == 2 else "F32")
    for i, matrix in enumerate(matrices):
        tensors["dense_%d.weight" % (i + 2)] = (matrix.astype(np.float64), "F16")
    settings = {"context_length": c["max_position_embeddings"], "embedding_length": WIDTH,
                "block_count": c["num_hidden_layers"], "feed_forward_length": INNER, "attention.head_count": HEADS,
                "attention.head_count_kv": KV_HEADS, "attention.key_length": HEAD_DIM, "attention.value_length": HEAD_DIM,
                "attention.layer_norm_rms_epsilon": c["rms_norm_eps"], "rope.freq_base": c["rope_theta"],
                "pooling_type": {"mean": 1, "lasttoken": 3}[pooling]}
    if gemma:
        settings.update({"attention.sliding_window": c["sliding_window"], "rope.freq_base_swa": c["rope_local_base_freq"]})
        for i, matrix in enumerate(matrices):
            settings.update({"dense_%d_feat_in" % (i + 2): matrix.shape[1], "dense_%d_feat_out" % (i + 2): matrix.shape[0]})
    path.parent.mkdir(parents=True, exist_ok=True)
    container.write(path, {
        "general.architecture": architecture, **{architecture + "." + key: value for key, value in settings.items()},
        "tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": TOKENS,
        "tokenizer.ggml.scores": [0.0] * 3 + [-100.0] * 12 + [-float(i) for i in range(len(TOKENS) - 15)],
        "tokenizer.ggml.token_type": [2, 3, 3] + [1] * (len(TOKENS) - 3), "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2, "tokenizer.ggml.unknown_token_id": 0, "tokenizer.ggml.add_bos_token": bos,
        "tokenizer.ggml.add_eos_token": eos}, tensors)


TASK = "Given a web search query, retrieve relevant passages that answer the query"
SYSTEM = ('Judge whether the Document meets the requirements based on the Query and the Instruct provided. Note that the '
          'answer can only be "yes" or "no".')
CARD = ("<|im_start|>system\n" + SYSTEM + "<|im_end|>\n<|im_start|>user\n<Instruct>: %s\n<Query>: %s\n<Document>: %s"
        "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n")
TEMPLATE = ('{%- set task = messages | selectattr("role", "eq", "system") | map(attribute="content") | first | default("w9") -%}\n'
            'w8 {{ task }} w4 {{ messages | selectattr("role", "eq", "query") | map(attribute="content") | first }}'
            ' w6 {{ messages | selectattr("role", "eq", "document") | map(attribute="content") | first }} w7 w8')


def score(w, c, ids, prefix="model."):
    logits = w[prefix + "embed_tokens.weight"].astype(np.float64) @ hidden(w, c, ids, prefix)[-1]
    return logits[IDS["yes"]] - logits[IDS["no"]]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def reranker(target):
    c = config("qwen3", 2, architectures=["Qwen3ForCausalLM"])
    w = weights(c, np.random.default_rng(5), "model.")
    folder = target / "golden" / "qwen3-reranker"
    model(folder, c, w, False, False)
    # Words of the card's prompt stand beside white space; those that touch a query or a document are one word with it.
    card = [ids_of(CARD % (TASK, q, d)) for q, d in PAIRS]
    write(folder / "expected.json", [{"query": q, "document": d, "score": sigmoid(score(w, c, ids))}
                                     for (q, d), ids in zip(PAIRS, card)])
    folder = target / "golden" / "qwen3-reranker-logit-score"
    model(folder, c, w, False, False)
    modules(folder, "Transformer", "LogitScore")
    write(folder / "1_LogitScore" / "config.json", {
        "true_token_id": IDS["yes"], "false_token_id": IDS["no"], "module_input_name": "causal_logits"})
    write(folder / "config_sentence_transformers.json", {
        "model_type": "CrossEncoder", "activation_fn": "torch.nn.modules.linear.Identity", "default_prompt_name": "web",
        "prompts": {"web": "w10 w11"}})
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    text = "w8 %s w4 %s w6 %s w7 w8"
    write(folder / "expected.json", [
        {"query": q, "document": d, "score": score(w, c, ids_of(text % ("w10 w11", q, d))),
         "plain": score(w, c, ids_of(text % ("w9", q, d)))} for q, d in PAIRS])
    folder = target / "golden" / "qwen3-sequence-classification"
    c = config("qwen3", 2, architectures=["Qwen3ForSequenceClassification"], id2label={"0": "LABEL_0"})
    w["score.weight"] = np.random.default_rng(6).normal(0, 0.3, (1, WIDTH)).astype(np.float16)
    model(folder, c, w, False, False)
    write(folder / "expected.json", [{"query": q, "document": d, "score": sigmoid(float(
        w["score.weight"].astype(np.float64)[0] @ hidden(w, c, ids_of(q + " " + d), "model.")[-1]))} for q, d in PAIRS])


def main():
    target = Path(sys.argv[1])
    qwen = config("qwen3", 2, architectures=["Qwen3ForCausalLM"])
    w, none = embedder(target, "qwen3-embedding", qwen, "", "lasttoken", False, True, prompt="w12 w13 ")
    gguf(target / "gguf" / "qwen3-embedding.gguf", qwen, w, none, "qwen3", "lasttoken", False, True)
    embedder(target, "e5-mistral", config("mistral", 2, sliding_window=None), "", "lasttoken", True, True)
    gemma = config("gemma3_text", 7, use_bidirectional_attention=True, sliding_window=9, rope_local_base_freq=100.0,
                   query_pre_attn_scalar=8, hidden_activation="gelu_pytorch_tanh")
    w, matrices = embedder(target, "embedding-gemma", gemma, "", "mean", True, True, dense=[(40, WIDTH), (WIDTH, 40)],
                           prompt="w3 w14 ")
    gguf(target / "gguf" / "embedding-gemma.gguf", gemma, w, matrices, "gemma-embedding", "mean", True, True)
    reranker(target)


if __name__ == "__main__":
    main()
