"""Writes small checkpoints of random weights, one per family of encoders, and what they compute.

    python3 bench/goldens/generate.py java/core/src/test/resources/dev/fovea/model/family/golden

Each folder holds a checkpoint as its family has it (config.json, model.safetensors) and expected.json: token ids and
types of a few sequences, and the hidden states and scores that reference.py makes of them in double precision. Weights
are kept as F16, to which they are rounded before anything is computed. The same seed gives the same files. Needs
python3 with torch 1.13 or later (Debian: python3-torch).
"""

import json
import struct
import sys
from pathlib import Path

import torch

import reference as ref

VOCABULARY, WIDTH, HEADS, INNER, LAYERS, TYPES = 29, 24, 3, 40, 2, 2


class Shapes(dict):
    """Names and shapes of weights."""

    def linear(self, name, outputs, inputs, bias=True):
        self[name + ".weight"] = (outputs, inputs)
        if bias:
            self[name + ".bias"] = (outputs,)

    def norm(self, name, width, bias=True):
        self[name + ".weight"] = (width,)
        if bias:
            self[name + ".bias"] = (width,)


def bert_layers(s, layer="encoder.layer.{}."):
    for i in range(LAYERS):
        p = layer.format(i)
        for name in ("query", "key", "value"):
            s.linear(p + "attention.self." + name, WIDTH, WIDTH)
        s.linear(p + "attention.output.dense", WIDTH, WIDTH)
        s.norm(p + "attention.output.LayerNorm", WIDTH)
        s.linear(p + "intermediate.dense", INNER, WIDTH)
        s.linear(p + "output.dense", WIDTH, INNER)
        s.norm(p + "output.LayerNorm", WIDTH)


def embeddings(s, width=WIDTH, positions=20, types=TYPES):
    s["embeddings.word_embeddings.weight"] = (VOCABULARY, width)
    if positions:
        s["embeddings.position_embeddings.weight"] = (positions, width)
    if types:
        s["embeddings.token_type_embeddings.weight"] = (types, width)
    s.norm("embeddings.LayerNorm", width)


def bert_config(kind, **more):
    return dict({"model_type": kind, "vocab_size": VOCABULARY, "hidden_size": WIDTH, "num_hidden_layers": LAYERS,
                 "num_attention_heads": HEADS, "intermediate_size": INNER, "hidden_act": "gelu",
                 "max_position_embeddings": 20, "type_vocab_size": TYPES, "layer_norm_eps": 1e-12, "pad_token_id": 0},
                **more)


def words_head(s, dense, norm, bias, width=WIDTH):
    s.linear(dense, width, WIDTH)
    s.norm(norm, width)
    s[bias] = (VOCABULARY,)


def score(w, x, dense, activation, output):
    return ref.linear(w, output, ref.act(activation)(ref.linear(w, dense, x)))


def words(w, x, dense, activation, norm, bias, table, eps):
    h = ref.act(activation)(ref.linear(w, dense, x))
    return ref.layer_norm(w, norm, h, eps) @ w[table].T + w[bias]


class Family:
    def __init__(self, name, model, config, shapes, prefix="", classifier=None, tagger="classifier", masked=None):
        self.name, self.model, self.config, self.shapes, self.prefix = name, model, config, shapes, prefix
        self.classifier, self.tagger, self.masked = classifier, tagger, masked


def bert():
    s = Shapes()
    embeddings(s)
    bert_layers(s)
    s.linear("pooler.dense", WIDTH, WIDTH)
    head = Shapes()
    head.linear("classifier", 3, WIDTH)
    words_head(head, "cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.bias")
    return Family("bert", ref.bert, bert_config("bert"), (s, head), "bert.",
                  lambda w, x: score(w, x[:1], "bert.pooler.dense", "tanh", "classifier"), "classifier",
                  lambda w, x: words(w, x, "cls.predictions.transform.dense", "gelu",
                                     "cls.predictions.transform.LayerNorm", "cls.predictions.bias",
                                     "bert.embeddings.word_embeddings.weight", 1e-12))


def out_proj_head(outputs=3):
    head = Shapes()
    head.linear("classifier.dense", WIDTH, WIDTH)
    head.linear("classifier.out_proj", outputs, WIDTH)
    return head


def roberta(kind, prefix="roberta."):
    s = Shapes()
    embeddings(s, types=1)
    bert_layers(s)
    head = out_proj_head()
    words_head(head, "lm_head.dense", "lm_head.layer_norm", "lm_head.bias")
    return Family(kind, ref.roberta, bert_config(kind, type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1),
                  (s, head), prefix, lambda w, x: score(w, x[:1], "classifier.dense", "tanh", "classifier.out_proj"),
                  None,
                  lambda w, x: words(w, x, "lm_head.dense", "gelu", "lm_head.layer_norm", "lm_head.bias",
                                     prefix + "embeddings.word_embeddings.weight", 1e-5))


def distilbert():
    s = Shapes()
    embeddings(s, types=0)
    for i in range(LAYERS):
        p = f"transformer.layer.{i}."
        for n in ("q_lin", "k_lin", "v_lin", "out_lin"):
            s.linear(p + "attention." + n, WIDTH, WIDTH)
        s.norm(p + "sa_layer_norm", WIDTH)
        s.linear(p + "ffn.lin1", INNER, WIDTH)
        s.linear(p + "ffn.lin2", WIDTH, INNER)
        s.norm(p + "output_layer_norm", WIDTH)
    head = Shapes()
    head.linear("pre_classifier", WIDTH, WIDTH)
    head.linear("classifier", 3, WIDTH)
    words_head(head, "vocab_transform", "vocab_layer_norm", "vocab_projector.bias")
    config = {"model_type": "distilbert", "vocab_size": VOCABULARY, "dim": WIDTH, "n_layers": LAYERS, "n_heads": HEADS,
              "hidden_dim": INNER, "activation": "gelu", "max_position_embeddings": 20}
    return Family("distilbert", ref.distilbert, config, (s, head), "distilbert.",
                  lambda w, x: score(w, x[:1], "pre_classifier", "relu", "classifier"), "classifier",
                  lambda w, x: words(w, x, "vocab_transform", "gelu", "vocab_layer_norm", "vocab_projector.bias",
                                     "distilbert.embeddings.word_embeddings.weight", 1e-12))


def electra():
    s = Shapes()
    embeddings(s, width=16)
    s.linear("embeddings_project", WIDTH, 16)
    bert_layers(s)
    head = out_proj_head()
    words_head(head, "generator_predictions.dense", "generator_predictions.LayerNorm", "generator_lm_head.bias", 16)
    return Family("electra", ref.electra, bert_config("electra", embedding_size=16), (s, head), "electra.",
                  lambda w, x: score(w, x[:1], "classifier.dense", "gelu", "classifier.out_proj"), None,
                  lambda w, x: words(w, x, "generator_predictions.dense", "gelu", "generator_predictions.LayerNorm",
                                     "generator_lm_head.bias", "electra.embeddings.word_embeddings.weight", 1e-12))


def albert():
    s = Shapes()
    embeddings(s, width=16)
    s.linear("encoder.embedding_hidden_mapping_in", WIDTH, 16)
    for group in range(2):
        p = f"encoder.albert_layer_groups.{group}.albert_layers.0."
        for n in ("query", "key", "value", "dense"):
            s.linear(p + "attention." + n, WIDTH, WIDTH)
        s.norm(p + "attention.LayerNorm", WIDTH)
        s.linear(p + "ffn", INNER, WIDTH)
        s.linear(p + "ffn_output", WIDTH, INNER)
        s.norm(p + "full_layer_layer_norm", WIDTH)
    s.linear("pooler", WIDTH, WIDTH)
    head = Shapes()
    head.linear("classifier", 3, WIDTH)
    words_head(head, "predictions.dense", "predictions.LayerNorm", "predictions.bias", 16)
    config = bert_config("albert", embedding_size=16, hidden_act="gelu_new", num_hidden_groups=2, inner_group_num=1,
                         num_hidden_layers=4)
    return Family("albert", ref.albert, config, (s, head), "albert.",
                  lambda w, x: score(w, x[:1], "albert.pooler", "tanh", "classifier"), "classifier",
                  lambda w, x: words(w, x, "predictions.dense", "gelu_new", "predictions.LayerNorm",
                                     "predictions.bias", "albert.embeddings.word_embeddings.weight", 1e-12))


def mpnet():
    s = Shapes()
    embeddings(s, types=0, positions=100)
    for i in range(LAYERS):
        p = f"encoder.layer.{i}."
        for n in "qkvo":
            s.linear(p + "attention.attn." + n, WIDTH, WIDTH)
        s.norm(p + "attention.LayerNorm", WIDTH)
        s.linear(p + "intermediate.dense", INNER, WIDTH)
        s.linear(p + "output.dense", WIDTH, INNER)
        s.norm(p + "output.LayerNorm", WIDTH)
    s["encoder.relative_attention_bias.weight"] = (32, HEADS)
    head = out_proj_head()
    words_head(head, "lm_head.dense", "lm_head.layer_norm", "lm_head.bias")
    config = bert_config("mpnet", max_position_embeddings=100, relative_attention_num_buckets=32, pad_token_id=1)
    del config["type_vocab_size"]
    return Family("mpnet", ref.mpnet, config, (s, head), "mpnet.",
                  lambda w, x: score(w, x[:1], "classifier.dense", "tanh", "classifier.out_proj"), None,
                  lambda w, x: words(w, x, "lm_head.dense", "gelu", "lm_head.layer_norm", "lm_head.bias",
                                     "mpnet.embeddings.word_embeddings.weight", 1e-12))


def nomic_bert():
    s = Shapes()
    s["embeddings.word_embeddings.weight"] = (VOCABULARY, WIDTH)
    s["embeddings.token_type_embeddings.weight"] = (TYPES, WIDTH)
    s.norm("emb_ln", WIDTH)
    for i in range(LAYERS):
        p = f"encoder.layers.{i}."
        s.linear(p + "attn.Wqkv", 3 * WIDTH, WIDTH, False)
        s.linear(p + "attn.out_proj", WIDTH, WIDTH, False)
        s.linear(p + "mlp.fc11", INNER, WIDTH, False)
        s.linear(p + "mlp.fc12", INNER, WIDTH, False)
        s.linear(p + "mlp.fc2", WIDTH, INNER, False)
        s.norm(p + "norm1", WIDTH)
        s.norm(p + "norm2", WIDTH)
    config = {"model_type": "nomic_bert", "vocab_size": VOCABULARY, "n_embd": WIDTH, "n_head": HEADS, "n_inner": INNER,
              "n_layer": LAYERS, "n_positions": 64, "type_vocab_size": TYPES, "activation_function": "swiglu",
              "qkv_proj_bias": False, "mlp_fc1_bias": False, "mlp_fc2_bias": False, "prenorm": False, "causal": False,
              "rotary_emb_fraction": 1.0, "rotary_emb_base": 1000, "rotary_emb_interleaved": False,
              "rotary_emb_scale_base": None, "rotary_scaling_factor": None, "layer_norm_epsilon": 1e-12}
    return Family("nomic-bert", ref.nomic_bert, config, (s, Shapes()), tagger=None)


def jina_bert(code):
    s = Shapes()
    embeddings(s, positions=0)
    for i in range(LAYERS):
        p = f"encoder.layer.{i}."
        for name in ("query", "key", "value"):
            s.linear(p + "attention.self." + name, WIDTH, WIDTH)
        s.linear(p + "attention.output.dense", WIDTH, WIDTH)
        if code:
            s.norm(p + "attention.self.layer_norm_q", WIDTH)
            s.norm(p + "attention.self.layer_norm_k", WIDTH)
            s.norm(p + "layer_norm_1", WIDTH)
            s.linear(p + "mlp.up_gated_layer", 2 * INNER, WIDTH, False)
            s.linear(p + "mlp.down_layer", WIDTH, INNER)
            s.norm(p + "layer_norm_2", WIDTH)
        else:
            s.norm(p + "attention.output.LayerNorm", WIDTH)
            s.linear(p + "mlp.gated_layers", 2 * INNER, WIDTH, False)
            s.linear(p + "mlp.wo", WIDTH, INNER)
            s.norm(p + "mlp.layernorm", WIDTH)
    owner = "jinaai/jina-bert-v2-qk-post-norm" if code else "jinaai/jina-bert-implementation"
    config = bert_config("bert", position_embedding_type="alibi", feed_forward_type="geglu",
                         auto_map={"AutoModel": owner + "--modeling_bert.JinaBertModel"})
    return Family("jina-bert-code" if code else "jina-bert", ref.jina_bert, config, (s, Shapes()), tagger=None)


def gte():
    s = Shapes()
    embeddings(s, positions=0)
    for i in range(LAYERS):
        p = f"encoder.layer.{i}."
        s.linear(p + "attention.qkv_proj", 3 * WIDTH, WIDTH)
        s.linear(p + "attention.o_proj", WIDTH, WIDTH)
        s.norm(p + "attn_ln", WIDTH)
        s.linear(p + "mlp.up_gate_proj", 2 * INNER, WIDTH, False)
        s.linear(p + "mlp.down_proj", WIDTH, INNER)
        s.norm(p + "mlp_ln", WIDTH)
    s.linear("pooler.dense", WIDTH, WIDTH)
    head = Shapes()
    head.linear("classifier", 1, WIDTH)
    config = bert_config("new", position_embedding_type="rope", rope_theta=500000, pack_qkv=True,
                         rope_scaling={"type": "ntk", "factor": 2.0}, max_position_embeddings=64)
    return Family("gte-new", ref.gte, config, (s, head), "new.",
                  lambda w, x: score(w, x[:1], "new.pooler.dense", "tanh", "classifier"), "classifier")


def modernbert():
    s = Shapes()
    s["embeddings.tok_embeddings.weight"] = (VOCABULARY, WIDTH)
    s.norm("embeddings.norm", WIDTH, False)
    for i in range(4):
        p = f"layers.{i}."
        if i:
            s.norm(p + "attn_norm", WIDTH, False)
        s.linear(p + "attn.Wqkv", 3 * WIDTH, WIDTH, False)
        s.linear(p + "attn.Wo", WIDTH, WIDTH, False)
        s.norm(p + "mlp_norm", WIDTH, False)
        s.linear(p + "mlp.Wi", 2 * INNER, WIDTH, False)
        s.linear(p + "mlp.Wo", WIDTH, INNER, False)
    s.norm("final_norm", WIDTH, False)
    head = Shapes()
    head.linear("head.dense", WIDTH, WIDTH, False)
    head.norm("head.norm", WIDTH, False)
    head.linear("classifier", 3, WIDTH)
    head["decoder.bias"] = (VOCABULARY,)
    config = {"model_type": "modernbert", "vocab_size": VOCABULARY, "hidden_size": WIDTH, "num_hidden_layers": 4,
              "num_attention_heads": HEADS, "intermediate_size": INNER, "hidden_activation": "gelu",
              "max_position_embeddings": 64, "norm_eps": 1e-5, "norm_bias": False, "attention_bias": False,
              "mlp_bias": False, "global_attn_every_n_layers": 3, "local_attention": 8, "global_rope_theta": 160000.0,
              "local_rope_theta": 10000.0, "classifier_pooling": "mean", "classifier_activation": "gelu",
              "classifier_bias": False, "decoder_bias": True}

    def head_of(w, x):
        return ref.layer_norm(w, "head.norm", ref.act("gelu")(ref.linear(w, "head.dense", x)), 1e-5)

    return Family("modernbert", ref.modernbert, config, (s, head), "model.",
                  lambda w, x: ref.linear(w, "classifier", head_of(w, x.mean(0, keepdim=True))),
                  lambda w, x: ref.linear(w, "classifier", head_of(w, x)),
                  lambda w, x: head_of(w, x) @ w["model.embeddings.tok_embeddings.weight"].T + w["decoder.bias"])


def eurobert():
    s = Shapes()
    s["embed_tokens.weight"] = (VOCABULARY, WIDTH)
    for i in range(LAYERS):
        p = f"layers.{i}."
        s.norm(p + "input_layernorm", WIDTH, False)
        s.linear(p + "self_attn.q_proj", 32, WIDTH, False)
        s.linear(p + "self_attn.k_proj", 16, WIDTH, False)
        s.linear(p + "self_attn.v_proj", 16, WIDTH, False)
        s.linear(p + "self_attn.o_proj", WIDTH, 32, False)
        s.norm(p + "post_attention_layernorm", WIDTH, False)
        s.linear(p + "mlp.gate_proj", INNER, WIDTH, False)
        s.linear(p + "mlp.up_proj", INNER, WIDTH, False)
        s.linear(p + "mlp.down_proj", WIDTH, INNER, False)
    s.norm("norm", WIDTH, False)
    head = Shapes()
    head.linear("dense", WIDTH, WIDTH)
    head.linear("classifier", 3, WIDTH)
    config = {"model_type": "eurobert", "vocab_size": VOCABULARY, "hidden_size": WIDTH, "num_hidden_layers": LAYERS,
              "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "intermediate_size": INNER,
              "hidden_act": "silu", "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 250000,
              "attention_bias": False, "mlp_bias": False, "rope_scaling": None, "classifier_pooling": "late"}
    return Family("eurobert", ref.eurobert, config, (s, head), "model.",
                  lambda w, x: score(w, x, "dense", "gelu", "classifier").mean(0, keepdim=True), "classifier")


def clip_text():
    s = Shapes()
    t = "text_model."
    s[t + "embeddings.token_embedding.weight"] = (VOCABULARY, WIDTH)
    s[t + "embeddings.position_embedding.weight"] = (20, WIDTH)
    for i in range(LAYERS):
        p = t + f"encoder.layers.{i}."
        for n in ("q_proj", "k_proj", "v_proj", "out_proj"):
            s.linear(p + "self_attn." + n, WIDTH, WIDTH)
        s.norm(p + "layer_norm1", WIDTH)
        s.linear(p + "mlp.fc1", INNER, WIDTH)
        s.linear(p + "mlp.fc2", WIDTH, INNER)
        s.norm(p + "layer_norm2", WIDTH)
    s.norm(t + "final_layer_norm", WIDTH)
    s.linear("text_projection", 16, WIDTH, False)
    config = {"model_type": "clip_text_model", "vocab_size": VOCABULARY, "hidden_size": WIDTH,
              "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "intermediate_size": INNER,
              "hidden_act": "quick_gelu", "max_position_embeddings": 20, "layer_norm_eps": 1e-5, "projection_dim": 16}
    return Family("clip-text", ref.clip_text, config, (s, Shapes()), "",
                  lambda w, x: ref.linear(w, "text_projection", x[-1:]), None)


def deberta():
    s = Shapes()
    embeddings(s, positions=0, types=0)
    s["encoder.rel_embeddings.weight"] = (16, WIDTH)
    s.norm("encoder.LayerNorm", WIDTH)
    for i in range(LAYERS):
        p = f"encoder.layer.{i}."
        for n in ("query_proj", "key_proj", "value_proj"):
            s.linear(p + "attention.self." + n, WIDTH, WIDTH)
        s.linear(p + "attention.output.dense", WIDTH, WIDTH)
        s.norm(p + "attention.output.LayerNorm", WIDTH)
        s.linear(p + "intermediate.dense", INNER, WIDTH)
        s.linear(p + "output.dense", WIDTH, INNER)
        s.norm(p + "output.LayerNorm", WIDTH)
    head = Shapes()
    head.linear("pooler.dense", WIDTH, WIDTH)
    head.linear("classifier", 3, WIDTH)
    config = bert_config("deberta-v2", layer_norm_eps=1e-7, relative_attention=True, position_buckets=8,
                         norm_rel_ebd="layer_norm", share_att_key=True, pos_att_type="p2c|c2p",
                         position_biased_input=False, type_vocab_size=0, max_relative_positions=-1,
                         max_position_embeddings=64, pooler_hidden_act="gelu", pooler_hidden_size=WIDTH)
    return Family("deberta-v2", ref.deberta, config, (s, head), "deberta.",
                  lambda w, x: score(w, x[:1], "pooler.dense", "gelu", "classifier"), "classifier")


def families():
    return [bert(), roberta("roberta"), roberta("xlm-roberta"), distilbert(), electra(), albert(), mpnet(),
            nomic_bert(), jina_bert(False), jina_bert(True), gte(), modernbert(), eurobert(), clip_text(), deberta()]


def random_weights(shapes, prefix, generator):
    weights = {}
    for part, before in zip(shapes, (prefix, "")):
        for name, shape in part.items():
            values = torch.randn(shape, generator=generator, dtype=torch.float64)
            if len(shape) == 2:
                values = values * (1.5 / shape[1] ** 0.5)
            else:
                norm = name.endswith(".weight")
                values = values * 0.2 + (1 if norm else 0)
            weights[before + name] = values.half()
    return weights


def write_safetensors(path, weights):
    header, blob = {}, b""
    for name, tensor in weights.items():
        data = tensor.contiguous().numpy().astype("<f2").tobytes()
        header[name] = {"dtype": "F16", "shape": list(tensor.shape), "data_offsets": [len(blob), len(blob) + len(data)]}
        blob += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + blob)


def rounded(tensor):
    return [[float(f"{value:.9g}") for value in row] for row in tensor.tolist()]


def write(family, folder, number):
    generator = torch.Generator().manual_seed(1000 + number)
    weights = random_weights(family.shapes, family.prefix, generator)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(family.config, indent=1) + "\n")
    write_safetensors(folder / "model.safetensors", weights)
    w = {name: tensor.double() for name, tensor in weights.items()}
    inner = {name[len(family.prefix):]: tensor for name, tensor in w.items() if name.startswith(family.prefix)}
    typed = family.config.get("type_vocab_size", 0) > 1
    cases = []
    longest = 14 if family.config.get("max_position_embeddings", 64) < 60 else 45
    for tokens in (1, 6, longest):
        ids = torch.randint(VOCABULARY, (tokens,), generator=generator)
        types = (torch.arange(tokens) * 3 > tokens).long() if typed else torch.zeros(tokens, dtype=torch.long)
        x = family.model(inner, family.config, ids, types)
        case = {"ids": ids.tolist(), "types": types.tolist(), "hidden": rounded(x if tokens < 20 else x[-3:])}
        if family.classifier:
            case["labels"] = rounded(family.classifier(w, x))
        if family.tagger:
            tagger = family.tagger if callable(family.tagger) else lambda w, x: ref.linear(w, family.tagger, x)
            case["tags"] = rounded(tagger(w, x)[-1:])
        if family.masked:
            case["words"] = rounded(family.masked(w, x)[-1:])
        cases.append(case)
    (folder / "expected.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")


def main():
    target = Path(sys.argv[1])
    for number, family in enumerate(families()):
        write(family, target / family.name, number)


if __name__ == "__main__":
    main()
