"""Writes the golden file of TokenizerSettingsTest: what transformers makes of files that contradict each other.

    python bench/tokenizer_settings.py > java/core/src/test/resources/dev/fovea/text/tokenizer-settings.json

Each case has the files of a directory, and for some texts the ids that AutoTokenizer gives, special tokens included.
Made with transformers 5.18.0 and tokenizers 0.23.2.
"""

import copy
import json
import os
import sys
import tempfile

from transformers import AutoTokenizer

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "Hello", "resume", "r\u00e9sum\u00e9", "R\u00e9sum\u00e9",
         "Resume", "\u4f60", "\u597d", "\u4f60\u597d", "##\u597d", "new", "##er", "##s", "!", "<", ">", "tag", "x", "\u0130", "i",
         "##\u0307", "url", "stra\u00dfe", "Stra\u00dfe", "<tag>", "<s>", "</s>", "<pad>", "<mask>"]
TEXTS = ["Hello hello", "r\u00e9sum\u00e9 R\u00e9sum\u00e9 resume", "\u4f60\u597d x\u4f60\u597dx", "newer <tag> news!", "[SEP] hello [MASK]!",
         " \u0130 Stra\u00dfe\t", "", "x <tag>x<url> [URL]"]


def tokenizer(**normalizer):
    settings = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                "lowercase": True}
    settings.update(normalizer)
    special = lambda i: {"id": i, "content": WORDS[i], "single_word": False, "lstrip": False, "rstrip": False,
                         "normalized": False, "special": True}
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [special(i) for i in range(5)],
            "normalizer": settings, "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": {"type": "TemplateProcessing",
                               "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                                          {"Sequence": {"id": "A", "type_id": 0}},
                                          {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
                               "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                               "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
                                                  "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
            "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                      "max_input_chars_per_word": 100, "vocab": {word: i for i, word in enumerate(WORDS)}}}


def bert(**settings):
    return {"tokenizer_class": "BertTokenizer", **settings}


def added(content, **flags):
    return {"content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
            "special": True, **flags}


CASES = {
    "agreement": (tokenizer(), bert(do_lower_case=True, strip_accents=None, tokenize_chinese_chars=True)),
    "do_lower_case false against lowercase": (tokenizer(), bert(do_lower_case=False)),
    "do_lower_case true against no lowercase": (tokenizer(lowercase=False), bert(do_lower_case=True)),
    "a class and no do_lower_case": (tokenizer(lowercase=False), bert()),
    "no class and no do_lower_case": (tokenizer(lowercase=False), {"model_max_length": 512}),
    "strip_accents false": (tokenizer(), bert(do_lower_case=True, strip_accents=False)),
    "strip_accents true without lowercase": (tokenizer(lowercase=False), bert(do_lower_case=False, strip_accents=True)),
    "strip_accents of the file, null in the config": (tokenizer(strip_accents=False), bert(strip_accents=None)),
    "tokenize_chinese_chars false": (tokenizer(), bert(tokenize_chinese_chars=False)),
    "tokenize_chinese_chars true": (tokenizer(handle_chinese_chars=False), bert(tokenize_chinese_chars=True)),
    "a class without these settings": (tokenizer(), {"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": False}),
    "added_tokens_decoder": (tokenizer(), bert(added_tokens_decoder={
        **{str(i): added(WORDS[i]) for i in range(5)}, "29": added("<tag>", special=False)})),
    "added_tokens_decoder with a new token": (tokenizer(), bert(added_tokens_decoder={
        **{str(i): added(WORDS[i]) for i in range(5)}, str(len(WORDS)): added("<url>", special=False)})),
    "special tokens that the file does not add": ({**tokenizer(), "added_tokens": []}, bert(
        cls_token="[CLS]", sep_token="[SEP]", unk_token="[UNK]", pad_token="[PAD]", mask_token="[MASK]")),
    "additional_special_tokens": (tokenizer(), bert(additional_special_tokens=["<tag>"])),
    "vocab.txt alone": (None, None),
    "vocab.txt, cased": (None, bert(do_lower_case=False)),
    "vocab.txt, without accents or Chinese": (None, bert(strip_accents=False, tokenize_chinese_chars=False)),
    "vocab.txt of DistilBERT": (None, {"tokenizer_class": "DistilBertTokenizer", "do_lower_case": False}),
}


def main():
    cases = []
    for name, (file, settings) in CASES.items():
        files = {"config.json": json.dumps({"model_type": "bert"})}
        if file is None:
            files["vocab.txt"] = "".join(word + "\n" for word in WORDS)
        else:
            files["tokenizer.json"] = json.dumps(file, ensure_ascii=False)
        if settings is not None:
            files["tokenizer_config.json"] = json.dumps(settings, ensure_ascii=False)
        with tempfile.TemporaryDirectory() as directory:
            for path, content in files.items():
                with open(os.path.join(directory, path), "w", encoding="utf-8") as out:
                    out.write(content)
            loaded = AutoTokenizer.from_pretrained(directory)
            ids = [loaded(text)["input_ids"] for text in TEXTS]
        cases.append({"name": name, "files": files, "ids": ids})
    lines = ",\n".join(json.dumps(case) for case in cases)
    sys.stdout.write('{"texts": %s,\n"cases": [\n%s\n]}\n' % (json.dumps(TEXTS), lines))


if __name__ == "__main__":
    main()
