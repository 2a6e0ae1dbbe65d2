package dev.fovea.internal.text;

import dev.fovea.internal.files.Utf8;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Byte-pair encoding (Sennrich et al., arXiv:1508.07909): a word is its characters, and pairs of neighbours become one
 * token in the order of their ranks.
 */
public final class PairMerges implements Model {
    /** Words of fewer symbols are merged by looking all pairs through. */
    private static final int SHORT = 40;
    private static final int DIRECT = 0x3100;
    private static final byte[] NOTHING = {};

    private final Vocabulary vocabulary;
    private final MergeTable merges;
    private final Settings settings;
    /** The ids of single characters that are tokens, or −1. */
    private final int[] single = new int[DIRECT];
    /** The ids of the tokens that stand for bytes, or −1. */
    private final int[] byteTokens = new int[256];
    /** The prefix and the suffix in UTF-8. */
    private final byte[] prefixBytes;
    private final byte[] suffixBytes;
    /** Whether a word may be cut where no token reaches across. */
    private final boolean mayCut;
    private volatile Joints joints;

    /**
     * What characters are that the vocabulary has not, and what is added to them.
     *
     * @param unknown the id of the token that stands for them, or −1
     * @param fusesUnknown whether several of them in a row are one token
     * @param fallsBackToBytes whether tokens such as {@code <0x0A>} stand for their bytes
     * @param ignoresMerges whether a word that is in the vocabulary is that token
     * @param prefix before characters that are not the first of a word
     * @param suffix behind the last one
     */
    public record Settings(int unknown, boolean fusesUnknown, boolean fallsBackToBytes, boolean ignoresMerges,
            String prefix, String suffix) {}

    /** Takes a vocabulary that all merges are of. */
    public PairMerges(Vocabulary vocabulary, MergeTable merges, Settings settings) {
        this.vocabulary = vocabulary;
        this.merges = merges;
        this.settings = settings;
        this.prefixBytes = settings.prefix.getBytes(StandardCharsets.UTF_8);
        this.suffixBytes = settings.suffix.getBytes(StandardCharsets.UTF_8);
        this.mayCut = settings.prefix.isEmpty() && settings.suffix.isEmpty() && settings.unknown >= 0;
        Arrays.fill(single, -1);
        for (int i = 0; i < vocabulary.size(); i++) {
            int codePoint = vocabulary.single(i);
            if (codePoint >= 0 && codePoint < DIRECT) {
                single[codePoint] = vocabulary.idAt(i);
            }
        }
        for (int b = 0; b < 256; b++) {
            byteTokens[b] = settings.fallsBackToBytes ? vocabulary.id("<0x%02X>".formatted(b)) : -1;
        }
    }

    @Override
    public Vocabulary vocabulary() {
        return vocabulary;
    }

    @Override
    public void tokenize(Scratch scratch, Characters text, int from, int to) {
        if (settings.ignoresMerges) {
            int id = whole(text, from, to);
            if (id >= 0) {
                scratch.tokens.add(id, text, from, to);
                spell(scratch.tokens, id);
                return;
            }
        }
        if (to - from < SHORT || !mayCut) {
            merge(scratch, text, from, to);
            return;
        }
        Joints known = joints();
        int start = from;
        for (int i = from + 1; i < to; i++) {
            if (!known.has(text.codes[i - 1], text.codes[i]) && id("", text.codes[i - 1], "") >= 0
                    && id("", text.codes[i], "") >= 0) {
                merge(scratch, text, start, i);
                start = i;
            }
        }
        merge(scratch, text, start, to);
    }

    /** Made for the first long word. */
    private Joints joints() {
        Joints made = joints;
        if (made == null) {
            made = new Joints(vocabulary);
            joints = made;
        }
        return made;
    }

    private void merge(Scratch scratch, Characters text, int from, int to) {
        Symbols symbols = scratch.symbols;
        symbols.clear();
        read(symbols, text, from, to);
        if (symbols.size < SHORT) {
            mergeShort(symbols);
        } else {
            mergeLong(symbols);
        }
        write(scratch.tokens, symbols, text, from, to);
    }

    private int whole(Characters text, int from, int to) {
        if (to - from > vocabulary.longest()) {
            return -1;
        }
        long hash = vocabulary.seed();
        for (int i = from; i < to; i++) {
            hash = Vocabulary.step(hash, text.codes[i]);
        }
        return vocabulary.find(hash, "", text.codes, from, to);
    }

    /** The symbols of a word's characters. */
    private void read(Symbols symbols, Characters text, int from, int to) {
        int unknownBytes = 0;
        for (int i = from; i < to; i++) {
            int codePoint = text.codes[i];
            boolean first = i == from;
            boolean last = i == to - 1;
            int id = id(first ? "" : settings.prefix, codePoint, last ? settings.suffix : "");
            int bytes = Utf8.bytes(codePoint);
            if (id >= 0) {
                if (unknownBytes > 0) {
                    symbols.add(settings.unknown, unknownBytes);
                    unknownBytes = 0;
                }
                symbols.add(id, bytes);
            } else if (!(settings.fallsBackToBytes && addBytes(symbols, first ? NOTHING : prefixBytes, codePoint,
                    last ? suffixBytes : NOTHING))
                    && settings.unknown >= 0) {
                if (unknownBytes > 0 && !settings.fusesUnknown) {
                    symbols.add(settings.unknown, unknownBytes);
                    unknownBytes = 0;
                }
                unknownBytes += bytes;
            }
        }
        if (unknownBytes > 0) {
            symbols.add(settings.unknown, unknownBytes);
        }
    }

    private int id(String before, int codePoint, String behind) {
        if (codePoint < DIRECT && before.isEmpty() && behind.isEmpty()) {
            return single[codePoint];
        }
        long hash = Vocabulary.step(vocabulary.hash(vocabulary.seed(), before), codePoint);
        return vocabulary.find(vocabulary.hash(hash, behind), before, codePoint, behind);
    }

    private boolean addBytes(Symbols symbols, byte[] before, int codePoint, byte[] behind) {
        int size = symbols.size;
        for (byte b : before) {
            addByte(symbols, b & 0xff);
        }
        int bytes = Utf8.bytes(codePoint);
        for (int i = 0; i < bytes; i++) {
            addByte(symbols, utf8(codePoint, bytes, i));
        }
        for (byte b : behind) {
            addByte(symbols, b & 0xff);
        }
        for (int i = size; i < symbols.size; i++) {
            if (symbols.ids[i] < 0) {
                symbols.size = size;
                return false;
            }
        }
        return true;
    }

    private void addByte(Symbols symbols, int b) {
        symbols.add(byteTokens[b], 1);
    }

    /** One of so many bytes of a code point in UTF-8. */
    static int utf8(int codePoint, int bytes, int index) {
        if (bytes == 1) {
            return codePoint;
        }
        int rest = codePoint >>> 6 * (bytes - 1 - index);
        return index == 0 ? 0xf00 >>> bytes & 0xff | rest : 0x80 | rest & 0x3f;
    }

    private void mergeShort(Symbols symbols) {
        int[] ranks = symbols.previous;
        for (int i = 0; i + 1 < symbols.size; i++) {
            ranks[i] = merges.rank(symbols.ids[i], symbols.ids[i + 1]);
        }
        while (true) {
            int best = -1;
            int least = MergeTable.NONE;
            for (int i = 0; i + 1 < symbols.size; i++) {
                if (ranks[i] < least) {
                    least = ranks[i];
                    best = i;
                }
            }
            if (best < 0) {
                return;
            }
            symbols.ids[best] = merges.merged(least);
            symbols.bytes[best] += symbols.bytes[best + 1];
            symbols.remove(best + 1);
            if (best + 1 < symbols.size) {
                ranks[best] = merges.rank(symbols.ids[best], symbols.ids[best + 1]);
            }
            if (best > 0) {
                ranks[best - 1] = merges.rank(symbols.ids[best - 1], symbols.ids[best]);
            }
        }
    }

    private void mergeLong(Symbols symbols) {
        int[] next = symbols.next;
        int[] previous = symbols.previous;
        for (int i = 0; i < symbols.size; i++) {
            previous[i] = i - 1;
            next[i] = i + 1 < symbols.size ? i + 1 : -1;
            push(symbols, i);
        }
        while (symbols.hasPairs()) {
            long entry = symbols.pop();
            int at = (int) entry;
            int behind = next[at];
            if (symbols.bytes[at] == 0 || behind < 0
                    || merges.rank(symbols.ids[at], symbols.ids[behind]) != (int) (entry >>> 32)) {
                continue; // what the pair was is merged by now
            }
            symbols.ids[at] = merges.merged((int) (entry >>> 32));
            symbols.bytes[at] += symbols.bytes[behind];
            symbols.bytes[behind] = 0;
            next[at] = next[behind];
            if (next[at] >= 0) {
                previous[next[at]] = at;
            }
            if (previous[at] >= 0) {
                push(symbols, previous[at]);
            }
            push(symbols, at);
        }
        symbols.close();
    }

    private void push(Symbols symbols, int at) {
        if (symbols.next[at] >= 0) {
            int rank = merges.rank(symbols.ids[at], symbols.ids[symbols.next[at]]);
            if (rank != MergeTable.NONE) {
                symbols.push(rank, at);
            }
        }
    }

    /** Adds the tokens; which characters they stand for is counted in bytes. */
    private void write(Tokens tokens, Symbols symbols, Characters text, int from, int to) {
        int at = from;
        int atByte = 0;
        int byteEnd = 0;
        for (int i = 0; i < symbols.size; i++) {
            int first = at;
            if (text.placed) {
                int begin = byteEnd;
                byteEnd += symbols.bytes[i];
                while (at < to - 1 && atByte + Utf8.bytes(text.codes[at]) <= begin) {
                    atByte += Utf8.bytes(text.codes[at++]);
                }
                first = at;
                while (at < to - 1 && atByte + Utf8.bytes(text.codes[at]) < byteEnd) {
                    atByte += Utf8.bytes(text.codes[at++]);
                }
            }
            tokens.add(symbols.ids[i], text, first, at + 1);
            spell(tokens, symbols.ids[i]);
        }
    }

    private void spell(Tokens tokens, int id) {
        if (tokens.spells()) {
            tokens.spell(vocabulary.tokenOf(id));
        }
    }
}
