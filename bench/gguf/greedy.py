"""Compares what Fovea and llama.cpp write with double precision, on the same GGUF files, for each family and type.

    python3 bench/gguf/greedy.py --llama DIR --fovea COMMAND [--families llama,qwen3] [--types Q8_0,Q4_K_M] [--texts N]
    python3 bench/gguf/greedy.py --llama DIR --fovea COMMAND FILE.gguf…

Without files, it writes a random model of each family (decoder.py, translator.py) and llama.cpp rounds it to each type.
Fovea writes 64 tokens greedily behind token ids. Along these, the same scripts evaluate the dequantised weights in double,
and llama.cpp reads the same tokens one by one. The error of an engine is that of the logarithms of probabilities of the 64 likeliest tokens in
each place: the root of the mean square, and the greatest. Fovea's must be at most twice llama.cpp's, each of them.

Where llama.cpp would have written another token first, the line shows by how much each side takes Fovea's token for likelier
than llama.cpp's: double precision, Fovea and llama.cpp. That is a near-tie if double precision says less than three times
what llama.cpp's error of a difference of two tokens is on average, √2 that of one.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

import container
import decoder
import llama
import translator

TYPES = ("F32", "F16", "BF16", "Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0", "IQ4_NL", "Q6_K", "Q5_K_M", "Q5_K_S", "Q4_K_M", "Q4_K_S",
         "Q3_K_M", "Q3_K_S", "Q2_K")
STEPS, PROMPT, LIKELIEST = 64, 24, 64


def fovea(command, path, ids):
    """The tokens written, and in each place the likeliest tokens with the logarithms of their probabilities."""
    run = subprocess.run(command.split() + [
        "generate", "--model", path, "--token-ids", ",".join(map(str, ids)), "--max-tokens", str(STEPS), "--ignore-end",
        "--json", "--probabilities", str(LIKELIEST), "--threads", "1"], capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(run.stderr)
    answer = json.loads(run.stdout)
    return answer["tokens"], [{one["token"]: float(np.log(one["probability"])) for one in place["likeliest"]}
                              for place in answer["probabilities"]]


def log_softmax(x):
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def compare(library, command, path, label, texts):
    reader = container.Reader(path)
    translates = reader.metadata["general.architecture"] == "t5"
    reference, model = (translator.Translator if translates else decoder.Decoder)(reader), library.load(path, 256, False)
    errors, equal, ties = [[], []], [], []
    for seed in range(texts):
        prompt = np.random.default_rng(seed).integers(3, len(reader.tensors["token_embd.weight"]), PROMPT).tolist()
        tokens, places = fovea(command, path, prompt)
        if translates:
            exact, theirs = reference.logits(prompt, [0] + tokens[:-1]), model.translated(prompt, 0, tokens)
        else:
            exact, theirs = reference.logits(prompt + tokens[:-1])[PROMPT - 1:], model.logits(prompt, tokens)
        exact, theirs = log_softmax(exact), log_softmax(theirs)
        for i, place in enumerate(places):
            of = list(place)
            errors[0] += (theirs[i, of] - exact[i, of]).tolist()
            errors[1] += (np.array(list(place.values())) - exact[i, of]).tolist()
        other = theirs.argmax(1)
        first = next((i for i in range(STEPS) if other[i] != tokens[i]), STEPS)
        equal.append(first)
        if first < STEPS:
            a, b = tokens[first], int(other[first])
            # One that is not among the likeliest is farther away than those.
            ours = places[first][a] - places[first].get(b, min(places[first].values()))
            ties.append((exact[first, a] - exact[first, b], ours, theirs[first, a] - theirs[first, b]))
    model.close()
    rms, most = ([f(np.abs(e)) for e in errors] for f in (lambda e: float(np.sqrt((e * e).mean())), lambda e: float(e.max())))
    near = all(abs(gap) <= 3 * 2 ** 0.5 * rms[0] for gap, _, _ in ties)
    good = rms[1] <= 2 * rms[0] and most[1] <= 2 * most[0] and near
    print("| %s | %.1e, %.1e | %.1e, %.1e | %.2f | %s | %s | %s |" % (
        label, rms[0], most[0], rms[1], most[1], rms[1] / rms[0], ", ".join(map(str, equal)),
        "; ".join("%.1e: %+.1e, %+.1e" % tie for tie in ties) or "–", "yes" if good else "NO"), flush=True)
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--llama", required=True)
    parser.add_argument("--fovea", default="./fovea")
    parser.add_argument("--families", default=",".join(decoder.ARCHITECTURES + ("t5",)))
    parser.add_argument("--types", default=",".join(TYPES))
    parser.add_argument("--texts", type=int, default=2)
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    library, good = llama.Llama(arguments.llama), True
    print("| file | error of llama.cpp: mean, greatest | of Fovea | ratio | equal tokens of %d |"
          " at the first difference, double: Fovea, llama.cpp | holds |" % STEPS)
    print("|---|---|---|---|---|---|---|")
    for path in arguments.files:
        good &= compare(library, arguments.fovea, path, os.path.basename(path), arguments.texts)
    with tempfile.TemporaryDirectory() as folder:
        for family in [] if arguments.files else arguments.families.split(","):
            plain = os.path.join(folder, family + ".gguf")
            translator.make(plain) if family == "t5" else decoder.make(plain, family)
            for kind in arguments.types.split(","):
                path = plain if kind == "F32" else os.path.join(folder, "rounded.gguf")
                if kind != "F32":
                    library.quantize(plain, path, kind)
                good &= compare(library, arguments.fovea, path, family + " " + kind, arguments.texts)
    sys.exit(not good)


if __name__ == "__main__":
    main()
