"""The World English Bible, which is in the public domain, as Debian's package sword-text-web has it."""

import html
import re
import subprocess

MODULE = "engWEB2015eb"
PLAIN = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "—": "-", "–": "-", "\xa0": " "})


def verses():
    """The verses in order, each with its chapter."""
    text = subprocess.run(["mod2imp", MODULE], check=True, capture_output=True).stdout.decode()
    for entry in text.split("$$$")[1:]:
        place, _, body = entry.partition("\n")
        chapter, _, verse = place.rpartition(":")
        if not verse.isdigit() or verse == "0" or chapter.endswith(" 0"):
            continue  # headings and prefaces
        body = re.sub(r"<note.*?</note>|<title.*?</title>", " ", body, flags=re.S)
        body = re.sub(r"<[^>]*>", "", body.replace("</q><q", "</q> <q").replace("</note>", " "))
        body = " ".join(html.unescape(body).translate(PLAIN).split())
        body = re.sub(r" ([,.;:?!])", r"\1", body)
        if body:
            yield chapter, body


def chapters():
    """Texts of whole chapters."""
    texts, last = [], None
    for chapter, body in verses():
        if chapter == last:
            texts[-1] += " " + body
        else:
            texts.append(body)
        last = chapter
    return texts
