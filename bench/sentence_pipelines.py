"""Writes the golden file of PipelineParityTest: what sentence-transformers makes of a small random model.

    python bench/sentence_pipelines.py > java/core/src/test/resources/dev/fovea/model/pipelines.json

The model's files are those that sentence-transformers saves; each case adds its own and has, for some texts and prompts,
the vectors of SentenceTransformer.encode in binary64. Made with sentence-transformers 6.0.1, transformers 5.18.0 and
torch 2.13.0.
"""

import base64
import json
import os
import sys
import tempfile

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Dense, LayerNorm, Normalize, Pooling, Transformer
from transformers import BertConfig, BertModel, BertTokenizer

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + ["w%d" % i for i in range(20)] + ["query", ":", "a", "##b"]
TEXTS = ["w1 w2 w3", "", "  w4 W5\nab  ", " ".join("w%d" % (i % 20) for i in range(30))]
PROMPTS = {"query": "query: ", "document": ""}


def cases():
    torch.manual_seed(2)
    modes = ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]
    for mode in modes:
        yield mode, [Pooling(16, mode)], {}
    yield "all modes", [Pooling(16, modes)], {}
    for mode in modes[1:]:
        yield mode + " without the prompt", [Pooling(16, mode, include_prompt=False)], {"default_prompt_name": "query"}
    yield "default prompt", [Pooling(16, "mean"), Normalize()], {"default_prompt_name": "query"}
    for activation in (torch.nn.Tanh(), torch.nn.Identity(), torch.nn.ReLU(), torch.nn.GELU(), torch.nn.Sigmoid(),
                       torch.nn.SiLU()):
        yield "Dense with " + type(activation).__name__, [
            Pooling(16, ["mean", "max"]), Dense(32, 5, bias=True, activation_function=activation)], {}
    norm = LayerNorm(7)
    norm.norm.weight.data.normal_()
    norm.norm.bias.data.normal_()
    yield "Dense, LayerNorm, Dense, Normalize", [
        Pooling(16, "cls"), Dense(16, 7, bias=False, activation_function=torch.nn.Tanh()), norm,
        Dense(7, 9, activation_function=torch.nn.Identity()), Normalize()], {}
    yield "Normalize, Dense", [Pooling(16, "mean"), Normalize(), Dense(16, 4)], {}


def collect(directory, skip):
    files = {}
    for root, _, names in os.walk(directory):
        for name in sorted(names):
            path = os.path.join(root, name)
            relative = os.path.relpath(path, directory)
            if relative in skip or name.endswith(".md"):
                continue
            with open(path, "rb") as content:
                files[relative] = base64.b64encode(content.read()).decode()
    return files


def main():
    torch.manual_seed(1)
    with tempfile.TemporaryDirectory() as base:
        config = BertConfig(vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
                            intermediate_size=24, max_position_embeddings=16, initializer_range=0.6)
        BertModel(config, add_pooling_layer=False).save_pretrained(base)
        BertTokenizer({word: i for i, word in enumerate(WORDS)}).save_pretrained(base)
        shared = collect(base, set())
        out = []
        for name, modules, settings in cases():
            made = SentenceTransformer(modules=[Transformer(base)] + modules, prompts=PROMPTS, **settings)
            with tempfile.TemporaryDirectory() as directory:
                made.save(directory)
                files = collect(directory, set(shared))
                model = SentenceTransformer(directory, device="cpu").double()
            vectors = {"": [model.encode([text], convert_to_tensor=True)[0].tolist() for text in TEXTS]}
            vectors["query"] = [model.encode([text], prompt_name="query", convert_to_tensor=True)[0].tolist()
                                for text in TEXTS]
            vectors["w3 : "] = [model.encode([text], prompt="w3 : ", convert_to_tensor=True)[0].tolist() for text in TEXTS]
            out.append({"name": name, "files": files, "vectors": vectors})
    lines = ",\n".join(json.dumps(case) for case in out)
    sys.stdout.write('{"texts": %s, "files": %s, "cases": [\n%s\n]}\n' % (json.dumps(TEXTS), json.dumps(shared), lines))


if __name__ == "__main__":
    main()
