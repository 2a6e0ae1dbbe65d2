"""Compares Fovea with Hugging Face transformers and sentence-transformers, where these are installed.

    python3 bench/transformers_parity.py [--family NAME] [--fovea COMMAND]

For every family it makes a model of random weights with transformers' own class, saves it as a directory, and compares

  - bench/goldens/reference.py, which the committed goldens come from, with transformers' hidden states and scores, and
  - with --fovea COMMAND (such as ./fovea) what the command line gives for the same directory: `classify`,
    `rerank`, `tag`, `embed --sparse` and `embed`, against transformers and sentence-transformers.

Prints a row per family and pipeline with the greatest difference, and ends with status 1 if one is above 1e-5. What the
installed version does not have is a row that says so. Families of code that models bring along (NomicBERT, JinaBERT,
mGTE) are not among them.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent / "goldens"))

import reference as ref  # noqa: E402

TOLERANCE = 1e-5

COMMON = dict(vocab_size=120, hidden_size=48, num_hidden_layers=3, num_attention_heads=4, intermediate_size=80,
              max_position_embeddings=70)

FAMILIES = {
    "bert": ("Bert", ref.bert, dict(type_vocab_size=2)),
    "roberta": ("Roberta", ref.roberta, dict(type_vocab_size=1, pad_token_id=1)),
    "xlm-roberta": ("XLMRoberta", ref.roberta, dict(type_vocab_size=1, pad_token_id=1)),
    "camembert": ("Camembert", ref.roberta, dict(type_vocab_size=1, pad_token_id=1)),
    "distilbert": ("DistilBert", ref.distilbert, dict(dim=48, n_layers=3, n_heads=4, hidden_dim=80)),
    "electra": ("Electra", ref.electra, dict(embedding_size=24)),
    "albert": ("Albert", ref.albert, dict(embedding_size=24, num_hidden_groups=3, hidden_act="gelu_new")),
    "mpnet": ("MPNet", ref.mpnet, dict(pad_token_id=1)),
    "modernbert": ("ModernBert", ref.modernbert, dict(local_attention=12, global_attn_every_n_layers=3, pad_token_id=0,
                                                      attn_implementation="eager", reference_compile=False)),
    "eurobert": ("EuroBert", ref.eurobert, dict(num_key_value_heads=2, pad_token_id=0)),
    "clip-text": ("CLIPText", ref.clip_text, dict(hidden_act="quick_gelu", projection_dim=32)),
    "deberta-v2": ("DebertaV2", ref.deberta, dict(relative_attention=True, position_buckets=16, share_att_key=True,
                                                  norm_rel_ebd="layer_norm", pos_att_type=["p2c", "c2p"],
                                                  position_biased_input=False, type_vocab_size=0)),
}


def rows(name, *values):
    print("| " + " | ".join([name, *map(str, values)]) + " |", flush=True)


def stripped(state, prefixes):
    """Names without the name of the encoder in a larger model, in double precision."""
    weights = {}
    for name, tensor in state.items():
        for prefix in prefixes:
            if name.startswith(prefix):
                name = name[len(prefix):]
                break
        weights[name] = tensor.double()
    return weights


def make(family):
    import transformers

    name, _, settings = FAMILIES[family]
    config_class = getattr(transformers, name + "Config", None)
    model_class = getattr(transformers, name + "Model", None)
    if config_class is None or model_class is None:
        return None
    known = dict(COMMON, **settings)
    config = config_class(**known)
    torch.manual_seed(3)
    model = model_class(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


def hidden_states(family):
    """The greatest difference between reference.py and transformers, both in double precision."""
    model = make(family)
    if model is None:
        return None
    _, reference, _ = FAMILIES[family]
    config = json.loads(model.config.to_json_string(use_diff=False))
    config.setdefault("global_rope_theta", 160000.0)
    config.setdefault("local_rope_theta", 10000.0)
    if "rope_theta" not in config:
        config["rope_theta"] = (config.get("rope_parameters") or {}).get("rope_theta", 250000)
    state = model.state_dict()
    prefixes = ("bert.", "roberta.", "model.") if family != "clip-text" else ()
    weights = stripped(state, prefixes)
    if family == "clip-text" and not any(name.startswith("text_model.") for name in weights):
        weights = {"text_model." + name: tensor for name, tensor in weights.items()}
    model.double()
    greatest = 0.0
    for tokens in (1, 7, 40):
        ids = torch.randint(3, COMMON["vocab_size"], (tokens,), generator=torch.Generator().manual_seed(tokens))
        with torch.no_grad():
            expected = model(input_ids=ids[None], attention_mask=torch.ones(1, tokens, dtype=torch.long))
        actual = reference(weights, config, ids, torch.zeros(tokens, dtype=torch.long))
        greatest = max(greatest, (expected.last_hidden_state[0] - actual).abs().max().item())
    return greatest


def write_tokenizer(folder, vocabulary):
    """Words w0, w1 … between [CLS] and [SEP], as a fast tokenizer."""
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocab = {token: i for i, token in enumerate(specials + [f"w{i}" for i in range(vocabulary - len(specials))])}
    special = {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
               "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}

    def piece(kind, name, type_id):
        return {kind: {"id": name, "type_id": type_id}}

    pair = [piece("SpecialToken", "[CLS]", 0), piece("Sequence", "A", 0), piece("SpecialToken", "[SEP]", 0),
            piece("Sequence", "B", 1), piece("SpecialToken", "[SEP]", 1)]
    (folder / "tokenizer.json").write_text(json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "normalizer": None, "decoder": None,
        "added_tokens": [{"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False,
                          "normalized": False, "special": True} for i, token in enumerate(specials)],
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {"type": "TemplateProcessing", "single": pair[:3], "pair": pair, "special_tokens": special},
        "model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": vocab}}))
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "PreTrainedTokenizerFast", "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]",
        "unk_token": "[UNK]", "mask_token": "[MASK]", "model_max_length": 60,
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"]}))


def fovea(command, *arguments):
    done = subprocess.run([*command.split(), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return [json.loads(line) for line in done.stdout.splitlines()]


def head_model(family, task, folder, **settings):
    """A saved model of random weights with a head, and its tokenizer; None if this version has none."""
    import transformers

    name, _, own = FAMILIES[family]
    model_class = getattr(transformers, name + "For" + task, None)
    if model_class is None:
        return None
    torch.manual_seed(4)
    config = getattr(transformers, name + "Config")(**dict(COMMON, **own, **settings))
    model = model_class(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.15)
    model.save_pretrained(folder)
    write_tokenizer(folder, COMMON["vocab_size"])
    return model, transformers.PreTrainedTokenizerFast.from_pretrained(folder)


def logits(family, model, tokenizer, *texts):
    inputs = tokenizer(*texts, return_tensors="pt")
    if model.config.to_dict().get("type_vocab_size", 0) < 2 or family == "distilbert":
        inputs.pop("token_type_ids", None)
    with torch.no_grad():
        return model(**inputs).logits[0]


def classifier(family, command, folder):
    """The labels of a pair: the command line against transformers' own head."""
    made = head_model(family, "SequenceClassification", folder, num_labels=3)
    if made is None:
        return None
    model, tokenizer = made
    first, second = "w1 w2 w3 w4", "w5 w6"
    expected = torch.softmax(logits(family, model, tokenizer, first, second), -1)
    labels = fovea(command, "classify", "--json", "--model", str(folder), "--pair", second, first)[0]["labels"]
    numbers = {label["label"]: label["score"] for label in labels}
    return max(abs(numbers[model.config.id2label[i]] - expected[i].item()) for i in range(3))


def reranker(family, command, folder):
    """Scores of documents: the command line against CrossEncoder of sentence-transformers."""
    from sentence_transformers import CrossEncoder

    if head_model(family, "SequenceClassification", folder, num_labels=1) is None:
        return None
    query, documents = "w1 w2 w3", ["w4 w5", " ".join(f"w{i % 100}" for i in range(90)), "w1 w2"]
    config = json.loads((folder / "config.json").read_text())
    if config.get("type_vocab_size", 0) < 2 or family == "distilbert":
        settings = json.loads((folder / "tokenizer_config.json").read_text())
        settings["model_input_names"] = ["input_ids", "attention_mask"]
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    expected = CrossEncoder(str(folder), device="cpu").predict([(query, document) for document in documents])
    done = subprocess.run([*command.split(), "rerank", "--json", "--model", str(folder), query, *documents],
                          capture_output=True, text=True, check=True)
    actual = {hit["index"]: hit["score"] for hit in json.loads(done.stdout)["results"]}
    return max(abs(actual[i] - float(expected[i])) for i in range(len(documents)))


def tagger(family, command, folder):
    """Entities of a text, by each aggregation: the command line against transformers' pipeline."""
    import transformers

    labels = {0: "O", 1: "B-x", 2: "I-x", 3: "B-y", 4: "I-y"}
    made = head_model(family, "TokenClassification", folder, id2label=labels, label2id={v: k for k, v in labels.items()})
    if made is None:
        return None
    model, tokenizer = made
    if model.config.to_dict().get("type_vocab_size", 0) < 2 or family == "distilbert":
        tokenizer.model_input_names = ["input_ids", "attention_mask"]
    text = " ".join(f"w{i * 7 % 60}" for i in range(30))
    greatest = 0.0
    for aggregation in ("none", "simple", "first", "average", "max"):
        pipeline = transformers.pipeline("token-classification", model=model, tokenizer=tokenizer,
                                         aggregation_strategy=aggregation)
        expected = pipeline(text)
        actual = fovea(command, "tag", "--json", "--aggregation", aggregation, "--model", str(folder), text)[0]["entities"]
        spans = [(e["start"], e["end"], e.get("entity_group", e.get("entity"))) for e in expected]
        if spans != [(a["start"], a["end"], a["label"]) for a in actual]:
            raise RuntimeError(f"other entities by {aggregation}: {spans} and {actual}")
        greatest = max([greatest] + [abs(float(e["score"]) - a["score"]) for e, a in zip(expected, actual)])
    return greatest


def sparse(family, command, folder):
    """Weights of terms: the command line against the formula on transformers' scores of words."""
    made = head_model(family, "MaskedLM", folder)
    if made is None or family == "eurobert":
        return None  # EuroBERT's is no head of Fovea's
    model, tokenizer = made
    text = "w1 w2 w3 w4"
    expected = torch.log1p(torch.relu(logits(family, model, tokenizer, text))).max(0).values
    terms = fovea(command, "embed", "--sparse", "--model", str(folder), text)[0]["terms"]
    return max(abs(terms.get(tokenizer.convert_ids_to_tokens(i), 0) - expected[i].item())
               for i in range(COMMON["vocab_size"]))


def encoder(family, command, folder):
    """The vector of a text: the command line against sentence-transformers."""
    from sentence_transformers import SentenceTransformer, models

    model = make(family)
    model.save_pretrained(folder)
    write_tokenizer(folder, COMMON["vocab_size"])
    transformer = models.Transformer(str(folder))
    pipeline = SentenceTransformer(modules=[transformer, models.Pooling(COMMON["hidden_size"]), models.Normalize()],
                                   device="cpu")
    out = folder / "sentence"
    pipeline.save(str(out))
    text = "w1 w2 w3 w4 w5"
    expected = pipeline.encode(text)
    actual = fovea(command, "embed", "--model", str(out), text)[0]["embedding"]
    return max(abs(a - float(e)) for a, e in zip(actual, expected))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--family", choices=sorted(FAMILIES), help="one family alone")
    parser.add_argument("--fovea", metavar="COMMAND", help="the command line, such as ./fovea")
    arguments = parser.parse_args()
    try:
        import transformers
    except ImportError:
        print("transformers is not installed: nothing to compare with", file=sys.stderr)
        return 2
    print(f"transformers {transformers.__version__}, torch {torch.__version__}\n")
    rows("family", "comparison", "greatest difference")
    rows("---", "---", "---")
    comparisons = [("reference.py and transformers", lambda family, _: hidden_states(family))]
    if arguments.fovea:
        comparisons += [("fovea classify", lambda family, folder: classifier(family, arguments.fovea, folder)),
                        ("fovea rerank", lambda family, folder: reranker(family, arguments.fovea, folder)),
                        ("fovea tag", lambda family, folder: tagger(family, arguments.fovea, folder)),
                        ("fovea embed --sparse", lambda family, folder: sparse(family, arguments.fovea, folder)),
                        ("fovea embed", lambda family, folder: encoder(family, arguments.fovea, folder))]
    failed = False
    for family in [arguments.family] if arguments.family else FAMILIES:
        for what, compare in comparisons:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    difference = compare(family, Path(folder))
                except Exception as failure:  # a row for it, and on with the rest
                    rows(family, what, "failed: " + str(failure).splitlines()[0][:100])
                    failed = True
                    continue
            rows(family, what, "not in this version" if difference is None else f"{difference:.1e}")
            failed |= difference is not None and difference > TOLERANCE
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
