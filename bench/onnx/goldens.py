"""Writes the files of OnnxGoldenTest: small random encoders as exporters and ONNX Runtime's tools write them.

    python3 bench/onnx/goldens.py java/core/src/test/resources/dev/fovea/weights/onnx

Each archive holds config.json and the files that are made of one model; expected.json has token ids and what ONNX Runtime
itself computes with the same file. Of files with integers it has what the file in fp32 gives with the numbers that the
integers stand for, for ONNX Runtime rounds activations too. Needs python3 with torch 2.9, transformers 5, onnx,
onnxscript and onnxruntime; the committed files come from torch 2.13.0, transformers 5.18.0, onnx 1.23.1, onnxscript 0.7.2
and onnxruntime 1.30.0. Exporters name nodes as they like, so that another version makes other bytes of the same weights.
"""

import copy
import importlib
import json
import logging
import math
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
import transformers
from onnx import numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.transformers.fusion_options import FusionOptions
from onnxruntime.transformers.optimizer import optimize_model
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

WIDTH, HEADS, INNER, VOCABULARY, POSITIONS = 16, 2, 24, 29, 20
LEVELS = {"basic": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC,
          "extended": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED}
COMMON = dict(vocab_size=VOCABULARY, hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=HEADS,
              intermediate_size=INNER, max_position_embeddings=POSITIONS)
MODELS = {
    "bert": ("BertModel", "bert", dict(type_vocab_size=2)),
    "bert-labels": ("BertForSequenceClassification", "bert", dict(type_vocab_size=2, num_labels=3)),
    "bert-words": ("BertForMaskedLM", "bert", dict(type_vocab_size=2)),
    "distilbert": ("DistilBertModel", "distilbert", dict(dim=WIDTH, n_layers=2, n_heads=HEADS, hidden_dim=INNER)),
    "albert": ("AlbertModel", "albert", dict(embedding_size=8, hidden_act="gelu_new")),
    "modernbert": ("ModernBertModel", "modernbert", dict(local_attention=12, global_attn_every_n_layers=3, pad_token_id=0,
                                                         bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2)),
}


def attention(module, query, key, value, mask, scaling=None, **_):
    """Attention as transformers 4 wrote it, whose graph ONNX Runtime's optimizer knows."""
    scores = torch.matmul(query, key.transpose(-1, -2)) / math.sqrt(query.shape[-1]) + mask
    weights = torch.softmax(scores, -1)
    return torch.matmul(weights, value).transpose(1, 2).contiguous(), weights


def extended_mask(attention_mask=None, **_):
    return (1.0 - attention_mask[:, None, None, :].to(torch.float32)) * torch.finfo(torch.float32).min


def make(name):
    """A model, whose weights are rounded to 12 bits so that the files can be compressed."""
    kind, module, settings = MODELS[name]
    config = getattr(transformers, kind.split("Model")[0].split("For")[0] + "Config")(**dict(COMMON, **settings))
    config._attn_implementation = "eager"
    if module != "modernbert":
        ALL_ATTENTION_FUNCTIONS.register("as-in-4", attention)
        config._attn_implementation = "as-in-4"
        code = importlib.import_module(f"transformers.models.{module}.modeling_{module}")
        code.create_bidirectional_mask = extended_mask
    torch.manual_seed(sorted(MODELS).index(name))
    model = getattr(transformers, kind)(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            scale = 1.5 / parameter.shape[-1] ** 0.5 if parameter.dim() == 2 else 0.2
            values = torch.randn_like(parameter) * scale + (parameter if parameter.dim() == 1 else 0)
            parameter.copy_((values * 1024).round() / 1024)
    return model


def inputs(typed, tokens):
    random = np.random.default_rng(tokens)
    feed = {"input_ids": random.integers(3, VOCABULARY, (1, tokens)), "attention_mask": np.ones((1, tokens), np.int64)}
    if typed:
        feed["token_type_ids"] = (np.arange(tokens) * 3 > tokens).astype(np.int64)[None]
    return feed


def export(model, name, path, dynamo):
    typed = name.startswith("bert")
    feed = {key: torch.from_numpy(value) for key, value in inputs(typed, 7).items()}
    names = list(feed)
    original = type(model)

    def forward(self, input_ids, attention_mask, token_type_ids=None):
        more = {"token_type_ids": token_type_ids} if typed else {}
        return original.forward(self, input_ids=input_ids, attention_mask=attention_mask, return_dict=False, **more)[:1]

    def forward_untyped(self, input_ids, attention_mask):
        return forward(self, input_ids, attention_mask)

    model.__class__ = type(original.__name__, (original,), {"forward": forward if typed else forward_untyped})
    if dynamo:
        dynamic = {key: {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC} for key in names}
        torch.onnx.export(model, (), str(path), kwargs=feed, input_names=names, dynamo=True, verbose=False,
                          external_data=False, dynamic_shapes=dynamic)
        shortened(path)
    else:
        torch.onnx.export(model, (feed,), str(path), input_names=names, output_names=["output"], opset_version=14,
                          dynamic_axes={key: {0: "batch", 1: "tokens"} for key in names}, dynamo=False)
        state_heads(path)
    model.__class__ = original


def state_heads(path):
    """Reshapes to [batch, tokens, heads, width of a head] as transformers 4 wrote them: with a number of heads, not -1."""
    model = onnx.load(path)
    concats = [node for node in model.graph.node if node.op_type == "Concat" and len(node.input) == 4]
    heads = {node.input[2] for node in concats}
    for node in model.graph.node:
        if node.op_type == "Constant" and node.output[0] in heads:
            node.attribute[0].t.CopyFrom(numpy_helper.from_array(np.array([HEADS], np.int64)))
    onnx.save(model, path)


def shortened(path):
    """Without the stack traces of each node; the scopes of modules stay."""
    model = onnx.load(path)
    for node in model.graph.node:
        scopes = [prop for prop in node.metadata_props if prop.key.endswith("name_scopes")]
        del node.metadata_props[:]
        node.metadata_props.extend(scopes)
    del model.graph.value_info[:]
    del model.functions[:]
    del model.graph.metadata_props[:]
    for tensor in [*model.graph.input, *model.graph.output, *model.graph.initializer]:
        del tensor.metadata_props[:]
    onnx.save(model, path)


def optimize(source, target, level):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = LEVELS[level]
    options.optimized_model_filepath = str(target)
    options.log_severity_level = 4
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])


def fuse(source, target, level, half=False):
    """As optimum-cli onnxruntime optimize does it: -O1, -O2; half is -O4."""
    optimizer = optimize_model(str(source), model_type="bert", num_heads=HEADS, hidden_size=WIDTH, opt_level=level,
                               optimization_options=FusionOptions("bert"), use_gpu=False)
    if half:
        optimizer.convert_float_to_float16()
    counts = optimizer.get_fused_operator_statistics()
    if not counts.get("Attention"):
        raise SystemExit(f"{source}: no attention was fused, but {counts}")
    optimizer.save_model_to_file(str(target))


def quantize(source, target, per_channel=False):
    quantize_dynamic(str(source), str(target), per_channel=per_channel, weight_type=QuantType.QInt8 if per_channel
                     else QuantType.QUInt8, extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})


def four_bits(source, target):
    quantizer = MatMulNBitsQuantizer(onnx.load(str(source)), block_size=16)
    quantizer.process()
    quantizer.model.save_model_to_file(str(target), False)


def external(source, target, location):
    onnx.save_model(onnx.load(str(source)), str(target), save_as_external_data=True, all_tensors_to_one_file=True,
                    location=location, size_threshold=256)


def constants(source, target):
    """The same weights as values of nodes Constant, each behind an Identity that has its name."""
    model = onnx.load(str(source))
    nodes = []
    for tensor in model.graph.initializer:
        value = copy.deepcopy(tensor)
        hidden = "constant_" + str(len(nodes))
        nodes.append(onnx.helper.make_node("Constant", [], [hidden], value=value))
        nodes.append(onnx.helper.make_node("Identity", [hidden], [tensor.name]))
    del model.graph.initializer[:]
    nodes.extend(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, str(target))


def dequantizing(source, target):
    """Matrices of products as integers [out, in], which a DequantizeLinear and a Transpose bring back."""
    model = onnx.load(str(source))
    matrices = {node.input[1] for node in model.graph.node if node.op_type == "MatMul"}
    nodes = []
    for tensor in [t for t in model.graph.initializer if t.name in matrices and len(t.dims) == 2]:
        values = numpy_helper.to_array(tensor).T
        scale = (np.abs(values).max(1) / 127).astype(np.float32)
        integers = np.clip(np.round(values / scale[:, None]), -128, 127).astype(np.int8)
        name = tensor.name
        model.graph.initializer.remove(tensor)
        model.graph.initializer.extend([numpy_helper.from_array(integers, name + "_i8"),
                                        numpy_helper.from_array(scale, name + "_s")])
        nodes.append(onnx.helper.make_node("DequantizeLinear", [name + "_i8", name + "_s"], [name + "_f32"], axis=0))
        nodes.append(onnx.helper.make_node("Transpose", [name + "_f32"], [name], perm=[1, 0]))
    nodes.extend(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, str(target))


def dequantized(source, integers, target):
    """The file in fp32 with the numbers that the integers of another stand for."""
    model, stored = onnx.load(str(source)), onnx.load(str(integers))
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in stored.graph.initializer}
    for tensor in model.graph.initializer:
        name = tensor.name
        if name + "_quantized" in found:
            zero = found.get(name + "_zero_point", np.zeros((), np.int8)).astype(np.float32)
            values = found[name + "_scale"] * (found[name + "_quantized"].astype(np.float32) - zero)
            turned = any(node.op_type == "Gemm" and node.input[1] == name for node in model.graph.node)
            tensor.CopyFrom(numpy_helper.from_array((values.T if turned else values).astype(np.float32), name))
    onnx.save(model, str(target))


def expect(path, typed):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    cases = []
    for tokens in (1, 6, 11):
        feed = inputs(typed, tokens)
        known = {value.name: feed[value.name] for value in session.get_inputs()}
        output = session.run(None, known)[0].astype(np.float64)
        rows = output.reshape(-1, output.shape[-1])[-2:]
        cases.append({"ids": feed["input_ids"][0].tolist(),
                      "types": feed.get("token_type_ids", np.zeros((1, tokens), np.int64))[0].tolist(),
                      "rows": [[float(f"{value:.8g}") for value in row] for row in rows]})
    return cases


def write(name, folder, made):
    """Writes the files that `made` names as target: (function, source, further arguments…)."""
    folder.mkdir(parents=True, exist_ok=True)
    model = make(name)
    config = json.loads(model.config.to_json_string(use_diff=True))
    config = {key: value for key, value in config.items() if "token" not in key and key != "architectures"}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    expected = {}
    with tempfile.TemporaryDirectory() as scratch:
        for target, (function, source, *more) in made.items():
            at = (Path(scratch) if target.startswith("-") else folder) / (target + ".onnx")
            origin = next((p for p in (folder / f"{source}.onnx", Path(scratch) / f"{source}.onnx") if p.exists()), None)
            if function is export:
                export(model, name, at, source == "dynamo")
            else:
                function(origin, at, *more)
            runnable = at
            if function is quantize:
                runnable = Path(scratch) / "dequantized.onnx"
                dequantized(origin, at, runnable)
            if function is optimize and "int8" in target:
                expected[target] = expected[source]
            elif not target.startswith("-"):
                expected[target] = expect(runnable, name.startswith("bert"))
    lines = ",\n".join(json.dumps(key) + ":" + json.dumps(value, separators=(",", ":")) for key, value in expected.items())
    (folder / "expected.json").write_text("{" + lines + "}\n")


def archive(folder, target):
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in sorted(folder.iterdir()):
            packed.writestr(zipfile.ZipInfo(path.name, (2026, 1, 1, 0, 0, 0)), path.read_bytes(), zipfile.ZIP_DEFLATED, 9)


def main():
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folders:
        write_all(Path(folders))
        for folder in sorted(Path(folders).iterdir()):
            archive(folder, target / (folder.name + ".zip"))


def write_all(root):
    write("bert", root / "bert", {
        "script": (export, "script"), "basic": (optimize, "script", "basic"), "extended": (optimize, "script", "extended"),
        "O1": (fuse, "script", 1), "O2": (fuse, "script", 2), "O4": (fuse, "script", 2, True),
        "int8": (quantize, "script"), "int8-extended": (optimize, "int8", "extended"),
        "O2-int8": (quantize, "O2", True), "q4": (four_bits, "script"), "external": (external, "script", "external.data"),
        "constants": (constants, "script"), "dequantizing": (dequantizing, "script")})
    write("bert-labels", root / "bert-labels", {"-script": (export, "script"), "int8": (quantize, "-script", True)})
    write("bert-words", root / "bert-words", {"script": (export, "script")})
    write("distilbert", root / "distilbert", {"-script": (export, "script"), "O2": (fuse, "-script", 2)})
    write("albert", root / "albert", {"script": (export, "script"), "O2": (fuse, "script", 2)})
    write("modernbert", root / "modernbert", {
        "script": (export, "script"), "basic": (optimize, "script", "basic"), "dynamo": (export, "dynamo"),
        "dynamo-basic": (optimize, "dynamo", "basic")})


if __name__ == "__main__":
    main()
