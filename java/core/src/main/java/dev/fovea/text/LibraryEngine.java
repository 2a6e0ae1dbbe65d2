package dev.fovea.text;

import ai.djl.huggingface.tokenizers.jni.CharSpan;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.function.LongFunction;

/** Tokenizes by the Hugging Face library, whose jar must be there. */
record LibraryEngine(TokenizersLibrary library, long handle) implements Engine {
    /**
     * Loads the library and, in it, a tokenizer.
     *
     * @throws IOException if there is no library, or it does not take the tokenizer
     */
    static LibraryEngine load(Path path, TokenizerFile file) throws IOException {
        String json = file.libraryJson();
        TokenizersLibrary library;
        try {
            library = TokenizerLibrary.load();
        } catch (NoClassDefFoundError e) {
            throw new IOException("the jar of ai.djl.huggingface:tokenizers is not on the class path, or not among"
                    + " the modules (--add-modules ai.djl.tokenizers), which -D" + Tokenizer.LIBRARY_PROPERTY
                    + "=library needs", e);
        }
        try {
            return new LibraryEngine(library, library.createTokenizerFromString(json));
        } catch (RuntimeException e) {
            throw new FormatException(path, -1, "tokenizer", e.getMessage(), e);
        }
    }

    @Override
    public int[] encode(String text) {
        return onEncoding(text, encoding -> narrow(library.getTokenIds(encoding)));
    }

    /** The binding does not give this setting of the library. */
    @Override
    public int[] encodeVerbatim(String text) {
        throw new IllegalStateException("texts cannot be tokenized verbatim with -D" + Tokenizer.LIBRARY_PROPERTY + "=library");
    }

    @Override
    public int encode(CharSequence text, MemorySegment ids) {
        int[] found = encode(text.toString());
        int room = (int) Math.min(found.length, ids.byteSize() / Integer.BYTES);
        MemorySegment.copy(found, 0, ids, ValueLayout.JAVA_INT_UNALIGNED, 0, room);
        return found.length;
    }

    @Override
    public List<String> tokens(String text) {
        return onEncoding(text, encoding -> List.of(library.getTokens(encoding)));
    }

    @Override
    public Inputs.Body tokenize(String text) {
        return onEncoding(text, encoding -> {
            int[] ids = narrow(library.getTokenIds(encoding));
            int[] starts = new int[ids.length];
            int[] ends = new int[ids.length];
            places(text, library.getTokenCharSpans(encoding), starts, ends);
            return new Inputs.Body(ids, starts, ends, narrow(library.getWordIds(encoding)));
        });
    }

    /** The library counts in code points. */
    private static void places(String text, CharSpan[] spans, int[] starts, int[] ends) {
        int chars = 0;
        int codePoints = 0;
        for (int i = 0; i < spans.length; i++) {
            if (spans[i] != null) {
                // Spans of one token may begin before those of the one before it: bytes of one character.
                chars = text.offsetByCodePoints(chars, spans[i].getStart() - codePoints);
                codePoints = spans[i].getStart();
                starts[i] = chars;
                ends[i] = text.offsetByCodePoints(chars, spans[i].getEnd() - codePoints);
            }
        }
    }

    /** Without a decoder, which would change it. */
    @Override
    public String token(int id) {
        return library.decode(handle, new long[] {id}, false);
    }

    @Override
    public void free() {
        library.deleteTokenizer(handle);
    }

    private <T> T onEncoding(String text, LongFunction<T> reader) {
        long encoding = library.encode(handle, Utf16.wellFormed(text), false);
        try {
            return reader.apply(encoding);
        } finally {
            library.deleteEncoding(encoding);
        }
    }

    private static int[] narrow(long[] values) {
        int[] narrow = new int[values.length];
        for (int i = 0; i < values.length; i++) {
            narrow[i] = (int) values[i];
        }
        return narrow;
    }
}
