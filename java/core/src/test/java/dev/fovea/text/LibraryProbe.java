package dev.fovea.text;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.io.IOException;
import java.util.List;

/**
 * Shows what the library's normalizers and pre-tokenizers make of a text: its Unigram model gives unknown text back as
 * it stands, and here all text is unknown.
 */
final class LibraryProbe implements AutoCloseable {
    private final TokenizersLibrary library;
    private final long handle;

    /** Takes components as JSON, {@code null} among them. */
    LibraryProbe(String normalizer, String preTokenizer) throws IOException {
        library = TokenizerLibrary.load();
        handle = library.createTokenizerFromString("""
                {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": %s,
                 "pre_tokenizer": %s, "post_processor": null, "decoder": null,
                 "model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unknown>", 0.0]], "byte_fallback": false}}
                """.formatted(normalizer, preTokenizer));
    }

    /** The words of a text. */
    List<String> words(String text) {
        long encoding = library.encode(handle, text, false);
        try {
            return List.of(library.getTokens(encoding));
        } finally {
            library.deleteEncoding(encoding);
        }
    }

    /** What is left of a text, in one piece. */
    String text(String text) {
        return String.join("", words(text));
    }

    @Override
    public void close() {
        library.deleteTokenizer(handle);
    }
}
