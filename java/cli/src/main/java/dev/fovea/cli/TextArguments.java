package dev.fovea.cli;

import java.util.List;

/** The texts of the command line. */
final class TextArguments implements TextSource {
    private final List<String> texts;
    private int next;

    TextArguments(List<String> texts) {
        this.texts = texts;
    }

    @Override
    public List<String> next() {
        int start = next;
        next = Math.min(texts.size(), start + BLOCK_TEXTS);
        return texts.subList(start, next);
    }

    @Override
    public String unit() {
        return "text";
    }

    @Override
    public long texts() {
        return next;
    }

    @Override
    public long done() {
        return next;
    }

    @Override
    public long total() {
        return texts.size();
    }

    @Override
    public void close() {}
}
