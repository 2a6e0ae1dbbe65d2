"""Language models of transformers as GGUF files, by the rules of llama.cpp's convert_hf_to_gguf.py."""

import math
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent.parent / "gguf"))

import container  # noqa: E402

MODELS = ("llama", "llama-linear", "llama-yarn", "llama-llama3", "qwen2", "qwen3", "gemma2", "gemma3",
          "phi3", "phi3-long", "smollm3-four", "gpt2")
NAMES = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
         "self_attn.o_proj": "attn_output", "self_attn.qkv_proj": "attn_qkv", "self_attn.q_norm": "attn_q_norm",
         "self_attn.k_norm": "attn_k_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
         "mlp.down_proj": "ffn_down", "mlp.gate_up_proj": "ffn_up", "input_layernorm": "attn_norm",
         "post_attention_layernorm": "ffn_norm", "attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output",
         "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down", "ln_1": "attn_norm", "ln_2": "ffn_norm"}
GEMMA = {"post_attention_layernorm": "post_attention_norm", "pre_feedforward_layernorm": "ffn_norm",
         "post_feedforward_layernorm": "post_ffw_norm"}
TOP = {"embed_tokens": "token_embd", "wte": "token_embd", "wpe": "position_embd", "norm": "output_norm",
       "ln_f": "output_norm", "lm_head": "output"}
ARCHITECTURES = {"gemma3_text": "gemma3"}


def permuted(weight, heads):
    """Halves of a head become neighbours, for the RoPE of llama."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def tensors(config, state):
    kind, found = config.model_type, {}
    names = dict(NAMES, **GEMMA) if kind.startswith("gemma") else NAMES
    for name, tensor in state.items():
        parts = name.removeprefix("transformer.").removeprefix("model.").split(".")
        values = tensor.float().numpy().astype(np.float64)
        if parts[0] in ("layers", "h"):
            part, ending = ".".join(parts[2:-1]), parts[-1]
            if kind == "gpt2" and values.ndim == 2:
                values = values.T
            if kind in ("llama", "smollm3") and part in ("self_attn.q_proj", "self_attn.k_proj"):
                values = permuted(values, config.num_attention_heads if "q_proj" in part else config.num_key_value_heads)
            target = "blk.%s.%s.%s" % (parts[1], names[part], ending)
        elif name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        else:
            target = "%s.%s" % (TOP[parts[0]], parts[-1])
        if kind.startswith("gemma") and values.ndim == 1:
            values = values + 1
        matrix = values.ndim == 2 and target != "position_embd.weight"
        found[target] = (np.ascontiguousarray(values), {torch.bfloat16: "BF16", torch.float16: "F16"}.get(
            tensor.dtype, "F32") if matrix else "F32")
    return found


def rope(config, settings, found):
    parameters = config.rope_parameters
    parameters = parameters.get("full_attention", parameters)
    settings["rope.freq_base"] = float(parameters["rope_theta"])
    head = settings["attention.key_length"]
    settings["rope.dimension_count"] = dim = int(head * parameters.get("partial_rotary_factor", 1))
    kind = parameters["rope_type"]
    if kind in ("linear", "yarn"):
        settings.update({"rope.scaling.type": kind, "rope.scaling.factor": float(parameters["factor"])})
    if kind == "yarn":
        settings["rope.scaling.original_context_length"] = parameters["original_max_position_embeddings"]
    if kind == "llama3":
        factors = []
        for i in range(0, dim, 2):
            length = 2 * math.pi * parameters["rope_theta"] ** (i / dim)
            low, high = parameters["low_freq_factor"], parameters["high_freq_factor"]
            original, factor = parameters["original_max_position_embeddings"], parameters["factor"]
            smooth = (original / length - low) / (high - low)
            factors.append(1 if length < original / high else factor if length > original / low
                           else 1 / ((1 - smooth) / factor + smooth))
        found["rope_freqs.weight"] = (np.array(factors), "F32")
    if kind == "longrope":
        original = config.original_max_position_embeddings
        factor = config.max_position_embeddings / original
        settings["rope.scaling.original_context_length"] = original
        settings["rope.scaling.attn_factor"] = math.sqrt(1 + math.log(factor) / math.log(original))
        for which in ("long", "short"):
            found["rope_factors_%s.weight" % which] = (np.array(parameters[which + "_factor"]), "F32")


def write(path, config, state):
    found = tensors(config, state)
    name = ARCHITECTURES.get(config.model_type, config.model_type)
    if name == "gpt2":
        settings = {"context_length": config.n_positions, "embedding_length": config.n_embd, "block_count": config.n_layer,
                    "feed_forward_length": 4 * config.n_embd, "attention.head_count": config.n_head,
                    "attention.layer_norm_epsilon": config.layer_norm_epsilon}
    else:
        head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        settings = {"context_length": config.max_position_embeddings, "embedding_length": config.hidden_size,
                    "block_count": config.num_hidden_layers, "feed_forward_length": config.intermediate_size,
                    "attention.head_count": config.num_attention_heads,
                    "attention.head_count_kv": config.num_key_value_heads,
                    "attention.layer_norm_rms_epsilon": config.rms_norm_eps, "attention.key_length": head,
                    "attention.value_length": head}
        rope(config, settings, found)
        if getattr(config, "sliding_window", None):
            settings["attention.sliding_window"] = config.sliding_window
    if name.startswith("gemma"):
        for key, value in (("attn_logit_softcapping", config.attn_logit_softcapping),
                           ("final_logit_softcapping", config.final_logit_softcapping)):
            if value:
                settings[key] = float(value)
    if name == "gemma3":
        settings["attention.sliding_window_pattern"] = 2
        settings["rope.freq_base_swa"] = float(config.rope_parameters["sliding_attention"]["rope_theta"])
    tokens = ["<t%d>" % i for i in range(config.vocab_size)]
    container.write(path, {"general.architecture": name, **{name + "." + key: value for key, value in settings.items()},
                           "tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": tokens}, found)
