"""The forward passes of encoder families, composed from torch's primitives in double precision.

Written from the papers and the definitions in Hugging Face transformers (or the code that models bring along), one
function per family, on purpose without anything that families share with Fovea's own code. `w` maps names of weights,
as checkpoints have them, to tensors; `c` is the configuration; `ids` is one sequence, and `types` its token types.
"""

import math

import torch
import torch.nn.functional as F


def act(name):
    return {
        "gelu": lambda x: x * 0.5 * (1 + torch.erf(x / math.sqrt(2))),
        "gelu_new": lambda x: 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
        "relu": torch.relu,
        "silu": lambda x: x * torch.sigmoid(x),
        "tanh": torch.tanh,
        "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
    }[name]


def linear(w, name, x):
    y = x @ w[name + ".weight"].T
    return y + w[name + ".bias"] if name + ".bias" in w else y


def layer_norm(w, name, x, eps):
    return F.layer_norm(x, x.shape[-1:], w[name + ".weight"], w.get(name + ".bias"), eps)


def rms_norm(w, name, x, eps):
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps) * w[name + ".weight"]


def heads_of(x, heads):
    return x.reshape(x.shape[0], heads, -1).transpose(0, 1)  # [heads, tokens, head_dim]


def attend(q, k, v, scale, bias=None, allowed=None):
    scores = q @ k.transpose(1, 2) * scale
    if bias is not None:
        scores = scores + bias
    if allowed is not None:
        scores = scores.masked_fill(~allowed, -math.inf)
    return (torch.softmax(scores, -1) @ v).transpose(0, 1).reshape(q.shape[1], -1)


def rotate(x, theta, frequencies=None):
    """RoPE of halves on x [heads, tokens, dim], from position 0."""
    dim = x.shape[-1]
    if frequencies is None:
        frequencies = theta ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    angle = torch.outer(torch.arange(x.shape[1], dtype=torch.float64), frequencies)
    cos, sin = torch.cat([angle.cos()] * 2, -1), torch.cat([angle.sin()] * 2, -1)
    half = torch.cat([-x[..., dim // 2 :], x[..., : dim // 2]], -1)
    return x * cos + half * sin


def bert_layers(w, c, x, name=lambda i, part: f"encoder.layer.{i}.{part}", bias=None):
    """Post-norm layers by BERT's names."""
    eps, heads = c["layer_norm_eps"], c["num_attention_heads"]
    for i in range(c["num_hidden_layers"]):
        q, k, v = (heads_of(linear(w, name(i, "attention.self." + p), x), heads) for p in ("query", "key", "value"))
        mixed = attend(q, k, v, q.shape[-1] ** -0.5, bias)
        x = layer_norm(w, name(i, "attention.output.LayerNorm"),
                       x + linear(w, name(i, "attention.output.dense"), mixed), eps)
        inner = act(c["hidden_act"])(linear(w, name(i, "intermediate.dense"), x))
        x = layer_norm(w, name(i, "output.LayerNorm"), x + linear(w, name(i, "output.dense"), inner), eps)
    return x


def bert_embeddings(w, c, ids, types, first=0):
    positions = torch.arange(first, first + len(ids))
    x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][positions]
    if "embeddings.token_type_embeddings.weight" in w:
        x = x + w["embeddings.token_type_embeddings.weight"][types]
    return layer_norm(w, "embeddings.LayerNorm", x, c["layer_norm_eps"])


def bert(w, c, ids, types):
    return bert_layers(w, c, bert_embeddings(w, c, ids, types))


def roberta(w, c, ids, types):
    return bert_layers(w, c, bert_embeddings(w, c, ids, types, c["pad_token_id"] + 1))


def distilbert(w, c, ids, types):
    c = dict(c, layer_norm_eps=1e-12)
    x = bert_embeddings(w, c, ids, types)
    for i in range(c["n_layers"]):
        p = f"transformer.layer.{i}."
        q, k, v = (heads_of(linear(w, p + f"attention.{n}_lin", x), c["n_heads"]) for n in "qkv")
        x = layer_norm(w, p + "sa_layer_norm",
                       x + linear(w, p + "attention.out_lin", attend(q, k, v, q.shape[-1] ** -0.5)), 1e-12)
        inner = act(c["activation"])(linear(w, p + "ffn.lin1", x))
        x = layer_norm(w, p + "output_layer_norm", x + linear(w, p + "ffn.lin2", inner), 1e-12)
    return x


def electra(w, c, ids, types):
    x = bert_embeddings(w, c, ids, types)
    if c["embedding_size"] != c["hidden_size"]:
        x = linear(w, "embeddings_project", x)
    return bert_layers(w, c, x)


def albert(w, c, ids, types):
    x = linear(w, "encoder.embedding_hidden_mapping_in", bert_embeddings(w, c, ids, types))
    eps = c["layer_norm_eps"]
    for i in range(c["num_hidden_layers"]):
        group = int(i / (c["num_hidden_layers"] / c["num_hidden_groups"]))
        p = f"encoder.albert_layer_groups.{group}.albert_layers.0."
        q, k, v = (heads_of(linear(w, p + "attention." + n, x), c["num_attention_heads"])
                   for n in ("query", "key", "value"))
        x = layer_norm(w, p + "attention.LayerNorm",
                       x + linear(w, p + "attention.dense", attend(q, k, v, q.shape[-1] ** -0.5)), eps)
        inner = linear(w, p + "ffn_output", act(c["hidden_act"])(linear(w, p + "ffn", x)))
        x = layer_norm(w, p + "full_layer_layer_norm", inner + x, eps)
    return x


def mpnet(w, c, ids, types):
    x = bert_embeddings(w, c, ids, types, c["pad_token_id"] + 1)
    n, buckets = len(ids), c["relative_attention_num_buckets"] // 2
    distance = torch.arange(n)[None, :] - torch.arange(n)[:, None]  # key minus query
    far = distance.abs()
    exact = buckets // 2
    large = exact + (torch.log(far.float().clamp(min=1) / exact) / math.log(128 / exact) * (buckets - exact)).long()
    bucket = (distance > 0).long() * buckets + torch.where(far < exact, far, large.clamp(max=buckets - 1))
    bias = w["encoder.relative_attention_bias.weight"][bucket].permute(2, 0, 1)
    names = {"attention.self.query": "attention.attn.q", "attention.self.key": "attention.attn.k",
             "attention.self.value": "attention.attn.v", "attention.output.dense": "attention.attn.o",
             "attention.output.LayerNorm": "attention.LayerNorm"}
    return bert_layers(w, c, x, lambda i, part: f"encoder.layer.{i}.{names.get(part, part)}", bias)


def nomic_bert(w, c, ids, types):
    heads, eps = c["n_head"], c["layer_norm_epsilon"]
    x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.token_type_embeddings.weight"][types]
    x = layer_norm(w, "emb_ln", x, eps)
    for i in range(c["n_layer"]):
        p = f"encoder.layers.{i}."
        q, k, v = (heads_of(t, heads) for t in linear(w, p + "attn.Wqkv", x).chunk(3, -1))
        q, k = rotate(q, c["rotary_emb_base"]), rotate(k, c["rotary_emb_base"])
        x = layer_norm(w, p + "norm1", x + linear(w, p + "attn.out_proj", attend(q, k, v, q.shape[-1] ** -0.5)), eps)
        inner = linear(w, p + "mlp.fc11", x) * act("silu")(linear(w, p + "mlp.fc12", x))
        x = layer_norm(w, p + "norm2", x + linear(w, p + "mlp.fc2", inner), eps)
    return x


def alibi(heads, n):
    def slopes(count):
        start = 2 ** (-(2 ** -(math.log2(count) - 3)))
        return [start * start**i for i in range(count)]

    power = 2 ** math.floor(math.log2(heads))
    all_slopes = slopes(power) + slopes(2 * power)[0::2][: heads - power]
    distance = (torch.arange(n)[None, :] - torch.arange(n)[:, None]).abs()
    return -torch.tensor(all_slopes, dtype=torch.float64)[:, None, None] * distance


def jina_bert(w, c, ids, types):
    heads, eps = c["num_attention_heads"], c["layer_norm_eps"]
    code = "qk-post-norm" in c["auto_map"]["AutoModel"]
    x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.token_type_embeddings.weight"][types]
    x = layer_norm(w, "embeddings.LayerNorm", x, eps)
    for i in range(c["num_hidden_layers"]):
        p = f"encoder.layer.{i}."
        q, k, v = (linear(w, p + "attention.self." + n, x) for n in ("query", "key", "value"))
        if code:
            q = layer_norm(w, p + "attention.self.layer_norm_q", q, eps)
            k = layer_norm(w, p + "attention.self.layer_norm_k", k, eps)
        q, k, v = (heads_of(t, heads) for t in (q, k, v))
        mixed = linear(w, p + "attention.output.dense", attend(q, k, v, q.shape[-1] ** -0.5, alibi(heads, len(ids))))
        if code:
            x = layer_norm(w, p + "layer_norm_1", x + mixed, eps)
            up, gate = linear(w, p + "mlp.up_gated_layer", x).chunk(2, -1)
            x = layer_norm(w, p + "layer_norm_2", x + linear(w, p + "mlp.down_layer", up * act("gelu")(gate)), eps)
        else:
            x = layer_norm(w, p + "attention.output.LayerNorm", x + mixed, eps)
            gate, up = linear(w, p + "mlp.gated_layers", x).chunk(2, -1)
            x = layer_norm(w, p + "mlp.layernorm", x + linear(w, p + "mlp.wo", act("gelu")(gate) * up), eps)
    return x


def gte(w, c, ids, types):
    heads, eps = c["num_attention_heads"], c["layer_norm_eps"]
    x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.token_type_embeddings.weight"][types]
    x = layer_norm(w, "embeddings.LayerNorm", x, eps)
    dim, factor = c["hidden_size"] // heads, c["rope_scaling"]["factor"]
    frequencies = (c["rope_theta"] * factor) ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    frequencies = frequencies / factor ** (2 / dim)
    for i in range(c["num_hidden_layers"]):
        p = f"encoder.layer.{i}."
        q, k, v = (heads_of(t, heads) for t in linear(w, p + "attention.qkv_proj", x).chunk(3, -1))
        q, k = rotate(q, None, frequencies), rotate(k, None, frequencies)
        x = layer_norm(w, p + "attn_ln", x + linear(w, p + "attention.o_proj", attend(q, k, v, dim**-0.5)), eps)
        up, gate = linear(w, p + "mlp.up_gate_proj", x).chunk(2, -1)
        x = layer_norm(w, p + "mlp_ln", x + linear(w, p + "mlp.down_proj", act(c["hidden_act"])(gate) * up), eps)
    return x


def modernbert(w, c, ids, types):
    heads, eps, n = c["num_attention_heads"], c["norm_eps"], len(ids)
    x = layer_norm(w, "embeddings.norm", w["embeddings.tok_embeddings.weight"][ids], eps)
    distance = (torch.arange(n)[None, :] - torch.arange(n)[:, None]).abs()
    for i in range(c["num_hidden_layers"]):
        p = f"layers.{i}."
        full = i % c["global_attn_every_n_layers"] == 0
        h = x if i == 0 else layer_norm(w, p + "attn_norm", x, eps)
        q, k, v = (heads_of(t, heads) for t in linear(w, p + "attn.Wqkv", h).chunk(3, -1))
        theta = c["global_rope_theta"] if full else c["local_rope_theta"]
        q, k = rotate(q, theta), rotate(k, theta)
        allowed = None if full else distance <= c["local_attention"] // 2
        x = x + linear(w, p + "attn.Wo", attend(q, k, v, q.shape[-1] ** -0.5, None, allowed))
        gate, up = linear(w, p + "mlp.Wi", layer_norm(w, p + "mlp_norm", x, eps)).chunk(2, -1)
        x = x + linear(w, p + "mlp.Wo", act(c["hidden_activation"])(gate) * up)
    return layer_norm(w, "final_norm", x, eps)


def eurobert(w, c, ids, types):
    heads, groups, eps = c["num_attention_heads"], c["num_key_value_heads"], c["rms_norm_eps"]
    x = w["embed_tokens.weight"][ids]
    for i in range(c["num_hidden_layers"]):
        p = f"layers.{i}."
        h = rms_norm(w, p + "input_layernorm", x, eps)
        q = heads_of(linear(w, p + "self_attn.q_proj", h), heads)
        k, v = (heads_of(linear(w, p + f"self_attn.{n}_proj", h), groups) for n in "kv")
        q, k = rotate(q, c["rope_theta"]), rotate(k, c["rope_theta"])
        k, v = (t.repeat_interleave(heads // groups, 0) for t in (k, v))
        x = x + linear(w, p + "self_attn.o_proj", attend(q, k, v, q.shape[-1] ** -0.5))
        h = rms_norm(w, p + "post_attention_layernorm", x, eps)
        x = x + linear(w, p + "mlp.down_proj",
                       act(c["hidden_act"])(linear(w, p + "mlp.gate_proj", h)) * linear(w, p + "mlp.up_proj", h))
    return rms_norm(w, "norm", x, eps)


def clip_text(w, c, ids, types):
    heads, eps, n = c["num_attention_heads"], c["layer_norm_eps"], len(ids)
    p = "text_model."
    x = w[p + "embeddings.token_embedding.weight"][ids] + w[p + "embeddings.position_embedding.weight"][:n]
    causal = torch.ones(n, n, dtype=torch.bool).tril()
    for i in range(c["num_hidden_layers"]):
        p = f"text_model.encoder.layers.{i}."
        h = layer_norm(w, p + "layer_norm1", x, eps)
        q, k, v = (heads_of(linear(w, p + f"self_attn.{t}_proj", h), heads) for t in "qkv")
        x = x + linear(w, p + "self_attn.out_proj", attend(q, k, v, q.shape[-1] ** -0.5, None, causal))
        h = layer_norm(w, p + "layer_norm2", x, eps)
        x = x + linear(w, p + "mlp.fc2", act(c["hidden_act"])(linear(w, p + "mlp.fc1", h)))
    return layer_norm(w, "text_model.final_layer_norm", x, eps)


def deberta(w, c, ids, types):
    heads, eps, n = c["num_attention_heads"], c["layer_norm_eps"], len(ids)
    x = w["embeddings.word_embeddings.weight"][ids]
    if "embeddings.token_type_embeddings.weight" in w:
        x = x + w["embeddings.token_type_embeddings.weight"][types]
    if "embeddings.embed_proj.weight" in w:
        x = linear(w, "embeddings.embed_proj", x)
    x = layer_norm(w, "embeddings.LayerNorm", x, eps)
    relative = layer_norm(w, "encoder.LayerNorm", w["encoder.rel_embeddings.weight"], eps)
    span, middle, most = c["position_buckets"], c["position_buckets"] // 2, c["max_position_embeddings"]
    distance = torch.arange(n)[:, None] - torch.arange(n)[None, :]  # query minus key
    far = distance.abs().clamp(min=middle - 1).double()
    log = torch.ceil(torch.log(far / middle) / math.log((most - 1) / middle) * (middle - 1)) + middle
    bucket = torch.where(distance.abs() <= middle, distance, (log * torch.sign(distance)).long())
    index = (bucket + span).clamp(0, 2 * span - 1).expand(heads, n, n)
    for i in range(c["num_hidden_layers"]):
        p = f"encoder.layer.{i}.attention.self."
        q, k, v = (heads_of(linear(w, p + t + "_proj", x), heads) for t in ("query", "key", "value"))
        scale = 1 / math.sqrt(3 * q.shape[-1])
        position_key = heads_of(linear(w, p + "key_proj", relative), heads)
        position_query = heads_of(linear(w, p + "query_proj", relative), heads)
        content_to_position = torch.gather(q @ position_key.transpose(1, 2), 2, index)
        # Of each key with the distance from it to each query, then turned to stand by query.
        back = (span - bucket).clamp(0, 2 * span - 1).expand(heads, n, n)
        position_to_content = torch.gather(k @ position_query.transpose(1, 2), 2, back).transpose(1, 2)
        mixed = attend(q, k, v, scale, (content_to_position + position_to_content) * scale)
        p = f"encoder.layer.{i}."
        x = layer_norm(w, p + "attention.output.LayerNorm", x + linear(w, p + "attention.output.dense", mixed), eps)
        inner = act(c["hidden_act"])(linear(w, p + "intermediate.dense", x))
        x = layer_norm(w, p + "output.LayerNorm", x + linear(w, p + "output.dense", inner), eps)
    return x
