package dev.fovea.internal.text;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Function;

/**
 * Text to tokens: cut at added tokens, normalized, cut at those that are looked for then, split into words, and each word
 * into tokens. What the Hugging Face tokenizers library does, in plain Java.
 *
 * <p>Safe to share between threads. The room that a text takes is kept, so that the next one allocates nothing.
 */
public final class TokenPipeline {
    private static final int KEPT_ROOMS = 8;

    private final Normalizer normalizer;
    private final PreTokenizer preTokenizer;
    private final boolean needsPlaces;
    private final Model model;
    private final AddedTokens raw = new AddedTokens();
    private final AddedTokens normalized = new AddedTokens();
    private final Map<Integer, String> added = new HashMap<>();
    private final AtomicReferenceArray<Scratch> rooms = new AtomicReferenceArray<>(KEPT_ROOMS);

    /**
     * Takes the parts of a tokenizer.
     *
     * @param normalizer may be null
     * @param preTokenizer may be null
     */
    public TokenPipeline(Normalizer normalizer, PreTokenizer preTokenizer, Model model, List<AddedToken> tokens) {
        this.normalizer = normalizer;
        this.preTokenizer = preTokenizer;
        this.needsPlaces = preTokenizer != null && preTokenizer.asksForPlaces();
        this.model = model;
        // The library looks for special tokens first where two are spelled alike.
        List<AddedToken> inOrder = new ArrayList<>(tokens.stream().filter(AddedToken::special).toList());
        inOrder.addAll(tokens.stream().filter(token -> !token.special()).toList());
        for (AddedToken token : inOrder) {
            (token.normalized() ? normalized : raw).add(token, token.normalized() ? normalize(token.content())
                    : token.content());
            added.put(token.id(), token.content());
        }
    }

    private String normalize(String text) {
        Scratch scratch = new Scratch();
        scratch.begin(text.length());
        scratch.piece.read(text, false);
        if (normalizer != null) {
            normalizer.normalize(scratch, scratch.piece);
        }
        return new String(scratch.piece.codes, 0, scratch.piece.size);
    }

    /** The token with an id; empty if there is none. */
    public String token(int id) {
        String token = added.get(id);
        return token != null ? token : model.vocabulary().tokenOf(id);
    }

    /**
     * Tokenizes a text.
     *
     * @param keepsPlaces whether the tokens' places are wanted
     * @param keepsSpellings whether it is wanted how they are spelled
     * @param reader reads the tokens, which are its own until it returns
     * @throws IllegalArgumentException if a pattern runs away on the text
     */
    public <T> T encode(CharSequence text, boolean keepsPlaces, boolean keepsSpellings, Function<Tokens, T> reader) {
        return encode(text, keepsPlaces, keepsSpellings, false, reader);
    }

    /** As {@link #encode(CharSequence, boolean, boolean, Function)}, but special tokens that the text spells out are text. */
    public <T> T encodeVerbatim(CharSequence text, Function<Tokens, T> reader) {
        return encode(text, false, false, true, reader);
    }

    private <T> T encode(CharSequence text, boolean keepsPlaces, boolean keepsSpellings, boolean verbatim,
            Function<Tokens, T> reader) {
        Scratch scratch = take();
        try {
            scratch.verbatim = verbatim;
            fill(scratch, text, keepsPlaces, keepsSpellings);
            return reader.apply(scratch.tokens);
        } finally {
            give(scratch);
        }
    }

    /** Tokenizes a text, and writes as many ids as there is room for; gives how many there are. */
    public int encode(CharSequence text, MemorySegment ids) {
        Scratch scratch = take();
        try {
            scratch.verbatim = false;
            fill(scratch, text, false, false);
            int size = scratch.tokens.size();
            int room = (int) Math.min(size, ids.byteSize() / Integer.BYTES);
            MemorySegment.copy(scratch.tokens.ids(), 0, ids, ValueLayout.JAVA_INT_UNALIGNED, 0, room);
            return size;
        } finally {
            give(scratch);
        }
    }

    private Scratch take() {
        for (int i = 0; i < KEPT_ROOMS; i++) {
            Scratch scratch = rooms.getAndSet(i, null);
            if (scratch != null) {
                return scratch;
            }
        }
        return new Scratch();
    }

    private void give(Scratch scratch) {
        for (int i = 0; scratch.isKept() && i < KEPT_ROOMS; i++) {
            if (rooms.compareAndSet(i, null, scratch)) {
                return;
            }
        }
    }

    private void fill(Scratch scratch, CharSequence text, boolean keepsPlaces, boolean keepsSpellings) {
        scratch.tokens.begin(keepsPlaces, keepsSpellings);
        scratch.begin(text.length());
        scratch.text.read(text, keepsPlaces || needsPlaces);
        raw.cut(scratch.text, scratch.pieces, scratch.verbatim);
        for (int i = 0; i < scratch.pieces.size(); i++) {
            int from = scratch.pieces.from(i);
            int to = scratch.pieces.to(i);
            if (scratch.pieces.id(i) >= 0) {
                add(scratch, scratch.text, from, to, scratch.pieces.id(i));
            } else {
                scratch.piece.copy(scratch.text, from, to);
                piece(scratch);
            }
        }
    }

    private static void add(Scratch scratch, Characters text, int from, int to, int id) {
        scratch.tokens.nextWord();
        scratch.tokens.add(id, text, from, to);
        scratch.tokens.spell(text, from, to);
    }

    private void piece(Scratch scratch) {
        if (normalizer != null) {
            normalizer.normalize(scratch, scratch.piece);
        }
        scratch.spend(scratch.piece.size);
        normalized.cut(scratch.piece, scratch.parts, scratch.verbatim);
        if (scratch.parts.size() == 1 && scratch.parts.id(0) < 0) {
            words(scratch, scratch.piece);
            return;
        }
        for (int i = 0; i < scratch.parts.size(); i++) {
            int from = scratch.parts.from(i);
            int to = scratch.parts.to(i);
            if (scratch.parts.id(i) >= 0) {
                add(scratch, scratch.piece, from, to, scratch.parts.id(i));
            } else {
                scratch.part.copy(scratch.piece, from, to);
                words(scratch, scratch.part);
            }
        }
    }

    private void words(Scratch scratch, Characters text) {
        Words words = scratch.words;
        words.set(0, text.size);
        if (preTokenizer != null) {
            int before = text.size;
            preTokenizer.split(scratch, text);
            scratch.spend(text.size - before);
        }
        for (int i = 0; i < words.size; i++) {
            scratch.tokens.nextWord();
            model.tokenize(scratch, text, words.from[i], words.to[i]);
        }
    }
}
