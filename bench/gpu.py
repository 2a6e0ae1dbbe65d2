#!/usr/bin/env python3
"""Measures the GPU library beside PyTorch: same card, same shapes, both sides in one run. Writes Markdown.

    bench/gpu.py --library build/libfovea_cuda.so [--out gpu.md] [--only attention,product,...] [--quick]

Needs numpy; PyTorch for the peers, and transformers and sentence-transformers for two of them: a peer that is missing
is named, and its column stays empty. A time on the device is that of a plan that does the work several times less that
of a plan that does it once, over the times between, so that copies and launches cancel. Sides take turns in rounds; a
figure is the median over the rounds.
"""

import argparse
import datetime
import os
import statistics
import sys
import time

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fovea_cuda as fv  # noqa: E402

try:
    import torch
    import torch.nn.functional as F
    from torch.nn.attention import SDPBackend, sdpa_kernel
    if not torch.cuda.is_available():
        torch = None
except ImportError:
    torch = None

REPEATS = 8


class Settings:
    """Rounds and sizes of a run."""

    def __init__(self, quick):
        self.quick = quick
        self.rounds = 3 if quick else 11
        self.latency_runs = 20 if quick else 3000


def bf16(array):
    """The bits of the nearest bfloat16, ties to even."""
    bits = np.ascontiguousarray(array, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def widened(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)


def median_seconds(rounds, *sides):
    """The median seconds of each side, which take turns."""
    times = [[] for _ in sides]
    for side in sides:
        side()
    for r in range(rounds):
        order = range(len(sides)) if r % 2 == 0 else reversed(range(len(sides)))
        for i in order:
            start = time.perf_counter()
            sides[i]()
            times[i].append(time.perf_counter() - start)
    return [statistics.median(t) for t in times]


def table(title, heads, rows):
    """A Markdown table."""
    lines = [f"### {title}", "", "| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def figure(value, digits=0):
    return "" if value is None else f"{value:,.{digits}f}"


# ---- the two sides of one op --------------------------------------------------------------------------------------


class Repeated:
    """An op of the library, timed on the device: a plan with one and one with several."""

    def __init__(self, device, width, add, tokens, offsets, rng):
        self.offsets = offsets
        self.ids = rng.integers(0, 4096, tokens, dtype=np.int32)
        words = bf16(rng.standard_normal((4096, width), dtype=np.float32))
        self.device, self.words = device, device.upload(words)
        self.plans = [self._bind(width, add, count, tokens) for count in (1, 1 + REPEATS)]

    def _bind(self, width, add, count, tokens):
        plan = fv.Plan()
        x = plan.buffer(width, fv.BF16)
        plan.add("EMBEDDING", x, constants=[self.words], weight_dtype=fv.BF16, vocabulary=4096, scale=1.0)
        for _ in range(count):
            add(plan, x)
        return fv.Execution(self.device, plan, tokens, len(self.offsets) - 1)

    def one(self):
        self.plans[0].run(self.ids, self.offsets)

    def several(self):
        self.plans[1].run(self.ids, self.offsets)

    def close(self):
        for execution in self.plans:
            execution.close()
        self.device.free(self.words)


def torch_graph(work, count):
    """Work done a number of times as one CUDA graph, and a call that runs it to its end."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            work()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(count):
            work()

    def run():
        graph.replay()
        torch.cuda.synchronize()
    return run


def torch_seconds(rounds, works):
    """Seconds on the device of each of PyTorch's ways, by the same difference; None for one that refuses."""
    seconds = {}
    for name, work in works.items():
        try:
            one, several = median_seconds(rounds, torch_graph(work, 1), torch_graph(work, 1 + REPEATS))
            seconds[name] = (several - one) / REPEATS
        except (RuntimeError, AssertionError):
            seconds[name] = None
    return seconds


# ---- attention ------------------------------------------------------------------------------------------------------


def attention_peers(heads, dim, batch, length, causal):
    shape = (batch, heads, length, dim)
    q, k, v = (torch.randn(shape, device="cuda", dtype=torch.bfloat16) for _ in range(3))

    def way(backend):
        def work():
            with sdpa_kernel(backend):
                F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        return work
    return {"flash": way(SDPBackend.FLASH_ATTENTION), "cuDNN": way(SDPBackend.CUDNN_ATTENTION),
            "efficient": way(SDPBackend.EFFICIENT_ATTENTION)}


def attention(device, settings, rng):
    """Attention of bf16, 16 k tokens in all and 2 048 columns, as FlashAttention's papers time it."""
    tokens, width = (512, 256) if settings.quick else (16384, 2048)
    rows = []
    for dim in (64, 128):
        for length in ([512] if settings.quick else [512, 1024, 2048, 4096, 8192, 16384]):
            for causal in (False, True):
                heads, batch = width // dim, tokens // length
                offsets = np.arange(batch + 1, dtype=np.int32) * length

                def add(plan, x):
                    parts = [fv.Plan.columns(x, i * width, width) for i in range(3)]
                    plan.add("ATTENTION", plan.buffer(width, fv.BF16), *parts, heads=heads, kv_heads=heads,
                             head_dim=dim, value_dim=dim, window_left=-1, window_right=0 if causal else -1,
                             scale=dim ** -0.5, weight_dtype=fv.BF16)
                side = Repeated(device, 3 * width, add, tokens, offsets, rng)
                one, several = median_seconds(settings.rounds, side.one, side.several)
                side.close()
                ours = (several - one) / REPEATS
                peers = torch_seconds(settings.rounds, attention_peers(heads, dim, batch, length, causal)) if torch else {}
                flop = 4 * length * length * width * batch / (2 if causal else 1)
                rates = {name: s and flop / s / 1e12 for name, s in peers.items()}
                best = max((r for r in rates.values() if r), default=None)
                mine = flop / ours / 1e12
                rows.append([dim, length, "causal" if causal else "full", figure(mine)]
                            + [figure(rates.get(n)) for n in ("flash", "cuDNN", "efficient")]
                            + [figure(best and mine / best, 2)])
    return table("Attention, bf16, TFLOP/s", ["head_dim", "length", "mask", "Fovea", "torch flash", "torch cuDNN",
                                              "torch efficient", "Fovea ÷ the best"], rows)


# ---- products -------------------------------------------------------------------------------------------------------


def product(device, settings, rng):
    """The products of MiniLM and of a model of 1 024 columns."""
    shapes = [(64, 64)] if settings.quick else [(1152, 384), (384, 384), (1536, 384), (384, 1536), (3072, 1024),
                                                (4096, 1024), (1024, 4096)]
    rows = []
    for outputs, inputs in shapes:
        for count in ([64] if settings.quick else [8, 32, 128, 512, 2048, 8192, 32768]):
            values = rng.standard_normal((outputs, inputs), dtype=np.float32) / np.sqrt(inputs)
            weight = device.upload(bf16(values))

            def add(plan, x):
                plan.add("LINEAR", plan.buffer(outputs, fv.BF16), x, constants=[weight], weight_dtype=fv.BF16)
            side = Repeated(device, inputs, add, count, np.array([0, count], np.int32), rng)
            one, several = median_seconds(settings.rounds, side.one, side.several)
            side.close()
            device.free(weight)
            ours = (several - one) / REPEATS
            theirs = None
            if torch:
                x = torch.randn(count, inputs, device="cuda", dtype=torch.bfloat16)
                w = torch.from_numpy(values).cuda().bfloat16()
                theirs = torch_seconds(settings.rounds, {"matmul": lambda: x @ w.T})["matmul"]
            flop = 2 * count * outputs * inputs
            rows.append([f"{inputs} → {outputs}", count, figure(ours * 1e6, 1), figure(theirs and theirs * 1e6, 1),
                         figure(flop / ours / 1e12, 1), figure(theirs and flop / theirs / 1e12, 1),
                         figure(theirs and theirs / ours, 2)])
    return table("Products, bf16", ["layer", "rows", "Fovea µs", "torch µs", "Fovea TFLOP/s", "torch TFLOP/s",
                                    "Fovea ÷ torch"], rows)


# ---- a whole model ----------------------------------------------------------------------------------------------------


class MiniLm:
    """Random weights in the shapes of all-MiniLM-L6-v2."""
    layers, width, heads, inner, vocabulary, positions = 6, 384, 12, 1536, 30522, 512

    def __init__(self, rng, quick):
        if quick:
            self.layers, self.width, self.heads, self.inner, self.vocabulary = 2, 64, 2, 128, 1000
        w, f = self.width, self.inner
        normal = lambda *shape: 0.02 * rng.standard_normal(shape, dtype=np.float32)
        norm = lambda: (1 + normal(w), normal(w))
        self.words, self.places, self.type = normal(self.vocabulary, w), normal(self.positions, w), normal(w)
        self.norm = norm()
        self.blocks = [dict(qkv=(normal(3 * w, w), normal(3 * w)), out=(normal(w, w), normal(w)), norm1=norm(),
                            up=(normal(f, w), normal(f)), down=(normal(w, f), normal(w)), norm2=norm())
                       for _ in range(self.layers)]

    def uploaded(self, device, dtype):
        """Addresses of the constants by the arrays' identities."""
        put = lambda a, matrix: device.upload(bf16(a) if matrix and dtype == fv.BF16 else np.ascontiguousarray(a))
        addresses = {id(self.words): put(self.words, True), id(self.places): put(self.places, False),
                     id(self.type): put(self.type, False)}
        for pair in [self.norm] + [p for b in self.blocks for p in b.values()]:
            for array in pair:
                addresses[id(array)] = put(array, array.ndim == 2)
        return addresses

    def plan(self, addresses, dtype, times=1, outputs=True):
        """The encoder, done a number of times from the ids."""
        plan = fv.Plan()
        w, f, at = self.width, self.inner, lambda *arrays: [addresses[id(a)] for a in arrays]
        x, y, qkv, h = (plan.buffer(n, dtype) for n in (w, w, 3 * w, f))
        result = plan.buffer(w, fv.F32, fv.SEQUENCES)
        norm = lambda pair: plan.add("LAYER_NORM", x, y, constants=at(*pair), epsilon=1e-12)
        linear = lambda out, a, pair, **more: plan.add("LINEAR", out, a, constants=at(*pair), weight_dtype=dtype, **more)
        for _ in range(times):
            plan.add("EMBEDDING", y, constants=at(self.words, self.places, self.type), weight_dtype=dtype,
                     vocabulary=self.vocabulary, positions=self.positions, scale=1.0)
            norm(self.norm)
            for block in self.blocks:
                linear(qkv, x, block["qkv"])
                plan.add("ATTENTION", y, *[fv.Plan.columns(qkv, i * w, w) for i in range(3)], heads=self.heads,
                         kv_heads=self.heads, head_dim=w // self.heads, value_dim=w // self.heads, window_left=-1,
                         window_right=-1, scale=(w // self.heads) ** -0.5, weight_dtype=dtype)
                linear(x, y, block["out"], z=x)
                y, x = x, y
                norm(block["norm1"])
                linear(h, x, block["up"], activation=fv.GELU_ERF)
                linear(x, h, block["down"], z=x)
                y, x = x, y
                norm(block["norm2"])
            plan.add("POOL", result, x, mode=0, normalize=1)
        if outputs:
            plan.outputs.append(result)
        return plan

    def evaluated(self, ids, offsets, rounded):
        """In float64, of the weights as stored."""
        stored = lambda a: (widened(bf16(a)) if rounded and a.ndim == 2 else a).astype(np.float64)

        def norm(v, pair):
            v = v - v.mean(-1, keepdims=True)
            return v / np.sqrt((v * v).mean(-1, keepdims=True) + 1e-12) * pair[0] + pair[1]
        erf = np.vectorize(__import__("math").erf)
        vectors = []
        for s in range(len(offsets) - 1):
            part = ids[offsets[s]:offsets[s + 1]]
            v = norm(stored(self.words)[part] + self.places[:len(part)] + self.type, self.norm)
            for b in self.blocks:
                q, k, u = np.split(v @ stored(b["qkv"][0]).T + b["qkv"][1], 3, 1)
                split = lambda m: m.reshape(len(part), self.heads, -1).transpose(1, 0, 2)
                scores = split(q) @ split(k).transpose(0, 2, 1) * (self.width // self.heads) ** -0.5
                scores = np.exp(scores - scores.max(-1, keepdims=True))
                mixed = (scores / scores.sum(-1, keepdims=True) @ split(u)).transpose(1, 0, 2).reshape(len(part), -1)
                v = norm(v + mixed @ stored(b["out"][0]).T + b["out"][1], b["norm1"])
                h = v @ stored(b["up"][0]).T + b["up"][1]
                h = h / 2 * (1 + erf(h / np.sqrt(2)))
                v = norm(v + h @ stored(b["down"][0]).T + b["down"][1], b["norm2"])
            mean = v.mean(0)
            vectors.append(mean / np.sqrt((mean * mean).sum()))
        return np.array(vectors)

    def torch_model(self):
        """transformers' BERT with these weights, bf16, and mean pooling."""
        from transformers import BertConfig, BertModel
        config = BertConfig(vocab_size=self.vocabulary, hidden_size=self.width, num_hidden_layers=self.layers,
                            num_attention_heads=self.heads, intermediate_size=self.inner,
                            max_position_embeddings=self.positions)
        model = BertModel(config, add_pooling_layer=False)
        state = {"embeddings.word_embeddings.weight": self.words, "embeddings.position_embeddings.weight": self.places,
                 "embeddings.token_type_embeddings.weight": np.stack([self.type, self.type])}
        put = lambda name, pair: state.update({name + ".weight": pair[0], name + ".bias": pair[1]})
        put("embeddings.LayerNorm", self.norm)
        for i, b in enumerate(self.blocks):
            at = f"encoder.layer.{i}."
            for j, name in enumerate(("query", "key", "value")):
                rows = slice(j * self.width, (j + 1) * self.width)
                put(at + "attention.self." + name, (b["qkv"][0][rows], b["qkv"][1][rows]))
            put(at + "attention.output.dense", b["out"])
            put(at + "attention.output.LayerNorm", b["norm1"])
            put(at + "intermediate.dense", b["up"])
            put(at + "output.dense", b["down"])
            put(at + "output.LayerNorm", b["norm2"])
        missing, unexpected = model.load_state_dict({k: torch.from_numpy(np.ascontiguousarray(v))
                                                     for k, v in state.items()}, strict=False)
        if unexpected or any("position_ids" not in m and "token_type_ids" not in m for m in missing):
            raise RuntimeError(f"transformers wants other weights: {missing} {unexpected}")
        return model.cuda().eval()


def sentence_transformer(model):
    """sentence-transformers with these weights and a vocabulary of made-up words; None where it is not installed."""
    try:
        import tempfile
        from sentence_transformers import SentenceTransformer, models
        from transformers import BertTokenizerFast
    except ImportError:
        return None
    with tempfile.TemporaryDirectory() as folder:
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [f"w{i}" for i in range(model.vocabulary - 5)]
        with open(os.path.join(folder, "vocab.txt"), "w") as out:
            out.write("\n".join(words))
        BertTokenizerFast(vocab_file=os.path.join(folder, "vocab.txt")).save_pretrained(folder)
        model.torch_model().save_pretrained(folder)
        transformer = models.Transformer(folder, max_seq_length=512)
        pipeline = [transformer, models.Pooling(model.width, "mean"), models.Normalize()]
        return SentenceTransformer(modules=pipeline, device="cuda").to(torch.bfloat16)


def texts(rng, model, lengths):
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return rng.integers(0, model.vocabulary, offsets[-1], dtype=np.int32), offsets


def pooled(model, dtype):
    """A call from ids [sequences, length] on the device to normalised means."""
    model = model.to(dtype)

    def run(ids):
        with torch.inference_mode():
            mean = model(input_ids=ids).last_hidden_state.float().mean(1)
            return F.normalize(mean, dim=1)
    return run


def accuracy(device, settings, rng):
    """Errors against float64, and whether a text alone has the bits that it has in company."""
    model = MiniLm(rng, settings.quick)
    lengths = [7, 1, 32, 19, 32] if settings.quick else [7, 1, 32, 100, 19, 32, 257, 64, 32, 3]
    ids, offsets = texts(rng, model, lengths)
    rows = []
    for dtype, name in ((fv.F32, "F32"), (fv.BF16, "BF16")):
        addresses = model.uploaded(device, dtype)
        execution = fv.Execution(device, model.plan(addresses, dtype), int(offsets[-1]), len(lengths))
        execution.run(ids, offsets)
        ours = execution.output(0)[:len(lengths)].copy()
        exact = model.evaluated(ids, offsets, rounded=False)
        same = 0
        for s in range(len(lengths)):
            part = np.ascontiguousarray(ids[offsets[s]:offsets[s + 1]])
            execution.run(part, np.array([0, len(part)], np.int32))
            same += execution.output(0)[0].tobytes() == ours[s].tobytes()
        theirs = None
        if torch and dtype == fv.BF16 and not settings.quick:
            run = pooled(model.torch_model(), torch.bfloat16)
            theirs = max(np.abs(run(torch.from_numpy(ids[offsets[s]:offsets[s + 1]].astype(np.int64))[None].cuda())
                                .float().cpu().numpy()[0] - exact[s]).max() for s in range(len(lengths)))
        rows.append([name, f"{np.abs(ours - exact).max():.2e}", "" if theirs is None else f"{theirs:.2e}",
                     f"{same} of {len(lengths)}"])
        execution.close()
    return table("MiniLM: greatest error against float64, and bits", ["weights", "Fovea", "torch bf16",
                                                                     "texts with the same bits alone and in company"], rows)


def throughput(device, settings, rng):
    """Sentences of 32 tokens in batches."""
    model, length = MiniLm(rng, settings.quick), 32
    addresses = model.uploaded(device, fv.BF16)
    peers, sentences = {}, None
    if torch and not settings.quick:
        reference = pooled(model.torch_model(), torch.bfloat16)
        peers = {"eager": reference, "compiled": torch.compile(reference, mode="max-autotune")}
        sentences = sentence_transformer(model)
    rows = []
    for batch in ([4] if settings.quick else [1, 32, 256, 1024, 4096]):
        ids, offsets = texts(rng, model, [length] * batch)
        bind = lambda times, outputs: fv.Execution(device, model.plan(addresses, fv.BF16, times, outputs),
                                                   len(ids), batch)
        one, several, whole = bind(1, False), bind(1 + REPEATS, False), bind(1, True)
        calls = [lambda e=e: e.run(ids, offsets) for e in (one, several, whole)]
        first, last, total = median_seconds(settings.rounds, *calls)
        for execution in (one, several, whole):
            execution.close()
        on_device = (last - first) / REPEATS
        found = {}
        for name, run in peers.items():
            given = torch.from_numpy(ids.astype(np.int64)).view(batch, length).cuda()

            def call():
                run(given)
                torch.cuda.synchronize()
            for _ in range(3):
                call()
            found[name] = batch * length / median_seconds(settings.rounds, call)[0] / 1e6
        if sentences:
            given = [" ".join(f"w{i}" for i in rng.integers(0, model.vocabulary - 5, length - 2)) for _ in range(batch)]
            encode = lambda: sentences.encode(given, batch_size=min(batch, 1024), show_progress_bar=False)
            encode()
            found["sentences"] = batch * length / median_seconds(min(3, settings.rounds), encode)[0] / 1e6
        rows.append([batch, figure(len(ids) / on_device / 1e6, 2), figure(len(ids) / total / 1e6, 2),
                     figure(batch / total), figure(found.get("eager"), 2), figure(found.get("compiled"), 2),
                     figure(found.get("sentences"), 2)])
    return table("MiniLM bf16, sentences of 32 tokens", ["sentences", "Fovea M tokens/s on the device",
                 "host to host", "sentences/s host to host", "torch eager M tokens/s", "torch compiled",
                 "sentence-transformers, from texts"], rows)


def latency(device, settings, rng):
    """One text, from ids in host memory to its vector in host memory."""
    model = MiniLm(rng, settings.quick)
    addresses = model.uploaded(device, fv.BF16)
    execution = fv.Execution(device, model.plan(addresses, fv.BF16), 512, 8)
    run = None
    if torch and not settings.quick:
        run = torch.compile(pooled(model.torch_model(), torch.bfloat16), mode="reduce-overhead")
    rows = []
    for length in (8, 32, 128):
        ids, offsets = texts(rng, model, [length])

        def theirs():
            run(torch.from_numpy(ids.astype(np.int64))[None].cuda()).cpu()
        cells = [length]
        for call in [lambda: execution.run(ids, offsets)] + ([theirs] if run else []):
            for _ in range(min(200, settings.latency_runs)):
                call()
            times = []
            for _ in range(settings.latency_runs):
                start = time.perf_counter()
                call()
                times.append((time.perf_counter() - start) * 1e6)
            cells += [figure(np.percentile(times, 50)), figure(np.percentile(times, 99))]
        rows.append(cells + [""] * (5 - len(cells)))
    execution.close()
    return table("MiniLM bf16, one text, µs host to host", ["tokens", "Fovea p50", "Fovea p99", "torch compiled p50",
                                                          "torch compiled p99"], rows)


STUDIES = {"accuracy": accuracy, "attention": attention, "product": product, "throughput": throughput,
           "latency": latency}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", required=True, help="path of libfovea_cuda.so")
    parser.add_argument("--driver", help="path of the driver's library, instead of the system's")
    parser.add_argument("--out", help="file for the Markdown, instead of the terminal")
    parser.add_argument("--only", help="studies, separated by commas: " + ", ".join(STUDIES))
    parser.add_argument("--quick", action="store_true", help="tiny sizes and few rounds: does it run")
    options = parser.parse_args()
    chosen = options.only.split(",") if options.only else list(STUDIES)
    unknown = [name for name in chosen if name not in STUDIES]
    if unknown:
        parser.error(f"no study {unknown[0]}; there are {', '.join(STUDIES)}")
    try:
        device = fv.Device(options.library, options.driver)
    except (fv.CudaError, OSError) as e:
        parser.exit(1, f"gpu.py: {e}\n")
    info = device.info
    parts = [f"## {info.name.decode()}, {datetime.date.today()}\n",
             f"Compute capability {info.compute_capability / 10:.1f}, {info.multiprocessors} multiprocessors, driver for "
             f"CUDA {info.driver_version // 1000}.{info.driver_version % 1000 // 10}; "
             + (f"PyTorch {torch.__version__}." if torch else "no PyTorch with a GPU here, so no peers.") + "\n"]
    failed = False
    for name in chosen:
        print(name, "...", file=sys.stderr, flush=True)
        try:
            parts.append(STUDIES[name](device, Settings(options.quick), np.random.default_rng(1)))
        except fv.CudaError as e:
            parts.append(f"### {name}: {e}\n")
            failed = True
    text = "\n".join(parts)
    if options.out:
        with open(options.out, "w") as out:
            out.write(text)
    else:
        print(text)
    if failed:
        sys.exit(1)  # what the study left is not closed, so neither is the device
    device.close()


if __name__ == "__main__":
    main()
