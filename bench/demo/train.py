"""Trains the demonstration model of `fovea chat` and writes it as a GGUF file.

    apt-get install python3-torch libopenblas0-pthread sword-text-web libsword-utils
    /usr/bin/python3 bench/demo/train.py java/cli/src/main/resources/dev/fovea/cli/fovea-demo.gguf

It learns from the World English Bible (bible.py) and from short chats and stories (chats.py), about half each.
"""

import argparse
import random
import time

import torch
from torch.nn import functional

import bible
import chats
import llama
import tokens

TOKENS = 2048  # of a step
WARM_UP = 40
RATE = 4e-3
TEMPLATE = ("{%- for message in messages -%}<|{{ message.role }}|>{{ message.content }}<|end|>{%- endfor -%}"
            "{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}")


class Documents:
    """Texts for training, as ids, drawn without end."""

    def __init__(self, seed, vocabulary):
        self.random = random.Random(seed)
        self.chats = chats.Chats(self.random)
        chapters = bible.chapters()
        self.words = sorted({word for chapter in chapters[::9] for word in chapter.split() if word.isalpha()})
        sample = [*chapters[::3], *(self.chats.story() for _ in range(600)),
                  *(text for _ in range(4000) for _, text in self.chats.chat(self.some_words))]
        self.tokens = tokens.Tokens("\n".join(sample), vocabulary)
        # Of whole sentences, so that a passage can begin at one.
        self.chapters = [[self.tokens.encode(part) for part in sentences(chapter)] for chapter in chapters]

    def some_words(self):
        return self.random.sample(self.words, self.random.choice((1, 1, 2, 3)))

    def draw(self):
        draw = self.random.random()
        if draw < 0.22:
            chapter = self.random.choice(self.chapters)
            at = self.random.randrange(len(chapter))
            return [self.id("text"), *(id for part in chapter[at:at + 12] for id in part)]
        if draw < 0.3:
            return [self.id("text"), *self.tokens.encode(self.chats.story()), self.id("end")]
        return [id for role, text in self.chats.chat(self.some_words)
                for id in (self.id(role), *self.tokens.encode(text), self.id("end"))]

    def id(self, role):
        return tokens.SPECIAL.index("<|%s|>" % role)

    def row(self, length):
        """Whole texts one after another, the last one cut."""
        ids = []
        while len(ids) < length:
            ids += self.draw()
        return ids[:length]


def sentences(text):
    parts = text.replace(". ", ".\0 ").replace("? ", "?\0 ").replace('." ', '."\0 ').split("\0")
    return [parts[0], *parts[1:]]


def train(model, documents, steps):
    matrices = [p for p in model.parameters() if p.dim() == 2]
    vectors = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}],
                                  lr=RATE, betas=(0.9, 0.95))
    started, mean = time.process_time(), None
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min((step + 1) / WARM_UP, (steps - step) / (steps - WARM_UP))
        # Attention is a third of the work in long rows: they come last.
        length = model.config.context // (2 if step < 0.75 * steps else 1)
        ids = torch.tensor([documents.row(length + 1) for _ in range(TOKENS // length)])
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(ids[:, :-1])
        loss = functional.cross_entropy(logits.float().flatten(0, 1), ids[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        mean = loss.item() if mean is None else 0.95 * mean + 0.05 * loss.item()
        if step % 20 == 19:
            print("step %d of %d, loss %.3f, %.0f s" % (step + 1, steps, mean, time.process_time() - started), flush=True)


def metadata(vocabulary):
    types = [3] * len(tokens.SPECIAL) + [1] * (len(vocabulary.texts) - len(tokens.SPECIAL))
    of = {name: tokens.SPECIAL.index("<|%s|>" % name) for name in ("text", "end")}
    return {"general.name": "fovea-demo", "general.license": "apache-2.0",
            "general.description": "Trained in minutes on the World English Bible and generated chats; knows very little.",
            "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "gpt-2", "tokenizer.ggml.tokens": vocabulary.texts,
            "tokenizer.ggml.token_type": types, "tokenizer.ggml.merges": [" ".join(pair) for pair in vocabulary.merges],
            "tokenizer.ggml.bos_token_id": of["text"], "tokenizer.ggml.eos_token_id": of["end"],
            "tokenizer.ggml.add_bos_token": True, "tokenizer.chat_template": TEMPLATE}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--steps", type=int, default=760, help="more than %d" % WARM_UP)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    config = llama.Config()
    documents = Documents(arguments.seed, config.vocabulary)
    model = llama.Llama(config)
    print("%d parameters" % sum(p.numel() for p in model.parameters()), flush=True)
    train(model, documents, arguments.steps)
    model.write(arguments.file, metadata(documents.tokens))


if __name__ == "__main__":
    main()
