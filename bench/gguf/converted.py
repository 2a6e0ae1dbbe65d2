"""Compares what Fovea and llama.cpp write behind texts, on the same GGUF file, such as one of `fovea models convert`.

    python3 bench/gguf/converted.py --llama DIR --fovea COMMAND FILE.gguf…

Texts, not ids, so that the tokenizers are compared too. Without --quantized, each row has the tokens that both write greedily
before they differ, and the greatest difference of the logarithms of their probabilities. With it, llama.cpp rounds the file
itself, and the types that both chose for each tensor must be the same: --quantized Q4_K_M ROUNDED.gguf.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import container
import llama

TEXTS = ["The capital of France is", "def f(x):\n    return", "Grüße aus Köln, 1984!", "日本語"]
STEPS = 16


def fovea(command, path, text):
    run = subprocess.run(command.split() + ["generate", "--model", path, text, "--max-tokens", str(STEPS), "--json",
                                            "--log-probabilities", "--threads", "1"], capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(run.stderr)
    answer = json.loads(run.stdout)
    return answer["prompt_tokens"], answer["tokens"], answer["log_probabilities"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--llama", required=True)
    parser.add_argument("--fovea", default="./fovea")
    parser.add_argument("--quantized", nargs=2)
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    library, good = llama.Llama(arguments.llama), True
    for path in arguments.files:
        if arguments.quantized:
            kind, ours = arguments.quantized
            with tempfile.TemporaryDirectory() as folder:
                theirs = os.path.join(folder, "theirs.gguf")
                library.quantize(path, theirs, kind)
                types = [container.Reader(file, False).types for file in (ours, theirs)]
            other = {name: (types[0].get(name), kind) for name, kind in types[1].items() if types[0].get(name) != kind}
            print("%s: %d tensors, other types: %s" % (path, len(types[1]), other or "none"), flush=True)
            good &= not other
            continue
        model = library.load(path, 256, False)
        for text in TEXTS:
            ids = model.tokens(text)
            count, tokens, logs = fovea(arguments.fovea, path, text)
            theirs, their_logs = model.goes_on(ids, STEPS)
            same = next((i for i, (a, b) in enumerate(zip(tokens, theirs)) if a != b), min(len(tokens), STEPS))
            error = max((abs(a - b) for a, b in list(zip(logs, their_logs))[:same]), default=0)
            good &= count == len(ids)
            print("| %s | %r | %d of %d tokens | %d equal | %.1e |" % (
                os.path.basename(path), text, count, len(ids), same, error), flush=True)
        model.close()
    sys.exit(not good)


if __name__ == "__main__":
    main()
