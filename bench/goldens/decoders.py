"""Writes small language models of random weights, by transformers' own classes, and what these compute.

    python3 bench/goldens/decoders.py java/core/src/test/resources/dev/fovea/model/decoder

Each folder in golden/ holds a checkpoint as transformers saves it (config.json, model.safetensors) and expected.json:
token ids of a few sequences, and the logits behind the last few tokens of each, computed in double precision. Some models
are in gguf/ too, as llama.cpp's converter writes them, see decoders_gguf.py. Weights are kept as F16 or BF16, to which they are rounded before anything is computed. The same seed gives the same files. Needs transformers
5 with torch; made with transformers 5.18 and torch 2.13.
"""

import json
import sys
from pathlib import Path

import torch
import transformers

import decoders_gguf

VOCABULARY, ROWS = 31, 3
LENGTHS = (1, 5, 19)

COMMON = dict(vocab_size=VOCABULARY, hidden_size=24, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2,
              intermediate_size=40, max_position_embeddings=32, bos_token_id=1, eos_token_id=2, pad_token_id=0)


def rope(kind, **more):
    return dict(rope_parameters=dict(rope_type=kind, rope_theta=300.0, **more))


# name: class and settings; sequences of another length than that of the first training are meant
MODELS = {
    "llama": ("Llama", dict(head_dim=8)),
    "llama-bias-tied": ("Llama", dict(attention_bias=True, mlp_bias=True, tie_word_embeddings=True, hidden_act="gelu")),
    "llama-linear": ("Llama", rope("linear", factor=4.0)),
    "llama-dynamic": ("Llama", dict(rope("dynamic", factor=2.0), max_position_embeddings=12)),
    "llama-yarn": ("Llama", rope("yarn", factor=4.0, original_max_position_embeddings=8)),
    "llama-yarn-all": ("Llama", rope("yarn", factor=4.0, original_max_position_embeddings=8, beta_fast=16.0, beta_slow=2.0,
                                     mscale=0.7, mscale_all_dim=0.3)),
    "llama-llama3": ("Llama", rope("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                                   original_max_position_embeddings=16)),
    "mistral": ("Mistral", dict(head_dim=10, sliding_window=5)),
    "qwen2": ("Qwen2", dict()),
    "qwen2-window": ("Qwen2", dict(use_sliding_window=True, sliding_window=4, max_window_layers=1)),
    "qwen3": ("Qwen3", dict(head_dim=8, tie_word_embeddings=True)),
    "gemma2": ("Gemma2", dict(head_dim=8, sliding_window=5, query_pre_attn_scalar=8, attn_logit_softcapping=2.0,
                              final_logit_softcapping=1.5)),
    "gemma3": ("Gemma3Text", dict(head_dim=8, sliding_window=4, query_pre_attn_scalar=8, num_hidden_layers=4,
                                  layer_types=["sliding_attention", "full_attention"] * 2, rope_parameters={
                                      "sliding_attention": dict(rope_type="default", rope_theta=100.0),
                                      "full_attention": dict(rope_type="linear", factor=8.0, rope_theta=1000.0)})),
    "phi3": ("Phi3", dict(sliding_window=7)),
    "phi3-long": ("Phi3", dict(original_max_position_embeddings=16, hidden_size=32, rope_parameters=dict(
        rope_type="longrope", rope_theta=200.0, partial_rotary_factor=0.75, short_factor=[1.0, 1.1, 1.3],
        long_factor=[1.2, 2.5, 4.0]))),
    "smollm3": ("SmolLM3", dict(no_rope_layer_interval=2)),
    "smollm3-four": ("SmolLM3", dict(num_hidden_layers=4)),
    "gpt2": ("GPT2", dict(n_embd=24, n_layer=2, n_head=3, n_positions=32)),
}
KEPT = {"mistral": torch.bfloat16, "gemma3": torch.bfloat16, "qwen2-window": torch.float32}


def make(name):
    kind, settings = MODELS[name]
    config_class = getattr(transformers, kind + "Config")
    base = {key: COMMON[key] for key in ("vocab_size", "bos_token_id", "eos_token_id", "pad_token_id")} \
        if kind == "GPT2" else COMMON
    config = config_class(**dict(base, **settings), attn_implementation="eager")
    model_class = getattr(transformers, {"GPT2": "GPT2LMHeadModel", "Gemma3Text": "Gemma3ForCausalLM"}.get(
        kind, kind + "ForCausalLM"))
    torch.manual_seed(sum(map(ord, name)))
    model = model_class(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.15)
    dtype = KEPT.get(name, torch.float16)
    return model.to(dtype), dtype


def main():
    target = Path(sys.argv[1])
    (target / "gguf").mkdir(parents=True, exist_ok=True)
    for name in MODELS:
        model, dtype = make(name)
        if name in decoders_gguf.MODELS:
            decoders_gguf.write(target / "gguf" / (name + ".gguf"), model.config, model.state_dict())
        folder = target / "golden" / name
        folder.mkdir(parents=True, exist_ok=True)
        model.save_pretrained(folder)
        (folder / "generation_config.json").unlink(missing_ok=True)
        precise = type(model)(model.config).eval().double()
        precise.load_state_dict({key: tensor.double() for key, tensor in model.state_dict().items()})
        cases = []
        for length in LENGTHS:
            ids = torch.randint(3, VOCABULARY, (length,), generator=torch.Generator().manual_seed(length))
            with torch.no_grad():
                logits = precise(input_ids=ids[None], use_cache=False).logits[0]
            cases.append({"ids": ids.tolist(), "logits": [[round(x, 7) for x in row] for row in logits[-ROWS:].tolist()]})
        (folder / "expected.json").write_text(json.dumps(cases).replace("}, ", "},\n ") + "\n")
        config = folder / "config.json"
        config.write_text(config.read_text().rstrip() + "\n")
        print(name, sum(file.stat().st_size for file in folder.iterdir()))


if __name__ == "__main__":
    main()
