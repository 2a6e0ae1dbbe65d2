package dev.fovea.model.family;

import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.Weights;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/**
 * Finds weights that are not finite: one NaN makes every vector NaN, and stored as integers it would be a wrong number
 * that nobody sees.
 *
 * <p>All weights that a model packs or copies while it is loaded are looked at, eight bytes at a time. The table of word
 * embeddings is not, unless it is the matrix of a head too: it is mapped, and most of it is never read. A row of it that
 * is not finite shows in the vectors of its texts.
 */
public final class FiniteWeights {
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Bytes between two looks at what was found. */
    private static final int BLOCK = 1 << 16;

    private FiniteWeights() {}

    /**
     * Refuses weights that are not finite.
     *
     * @throws FormatException naming the first tensor, and where in it
     */
    public static void require(Description description, ModelWeights weights, Weights file) throws FormatException {
        require(description, weights, file, null, null);
    }

    /** As {@link #require(Description, ModelWeights, Weights)}, with one part in another file. */
    static void require(Description description, ModelWeights weights, Weights file, Part apart, Weights other)
            throws FormatException {
        boolean tied = description.head() instanceof Head.Scores scores && scores.tied();
        WeightShapes.<FormatException>visit(description, (part, layer, bias, _) -> {
            Weight weight = bias ? weights.bias(part, layer) : weights.weight(part, layer);
            if ((part != Part.WORDS || tied) && weight != null && !isFinite(weight)) {
                Weights source = part == apart ? other : file;
                String name = nameIn(source, weights.candidates(part, layer, bias));
                throw new FormatException(source.file(), -1, name, "expected finite numbers, got " + first(weight));
            }
        });
    }

    /**
     * The first of some words whose embedding is not finite, in a few words; null if all are.
     *
     * @param ids those of words
     */
    public static String nonFiniteWord(ModelWeights weights, Weights file, int... ids) {
        Weight words = weights.weight(Part.WORDS, 0);
        for (int id : ids) {
            Weight row = words.row(id);
            if (!isFinite(row)) {
                return "tensor " + nameIn(file, weights.candidates(Part.WORDS, 0, false)) + " of " + file.file()
                        + " has " + first(row) + " of row " + id;
            }
        }
        return null;
    }

    private static String nameIn(Weights file, List<String> candidates) {
        return candidates.stream().filter(file::contains).findFirst().orElse(candidates.getFirst());
    }

    static boolean isFinite(Weight weight) {
        Tensor scales = weight.scales();
        if (scales != null) {
            return isFinite(Weight.of(scales));
        }
        boolean whole = weight.isDense() || weight.rank() == 2 && weight.layout().isPlain() && weight.transposed().isDense();
        int bytes = weight.layout().blockBytes();
        return switch (weight.layout()) {
            case F32 -> whole ? isFinite(weight, bytes, 0x7f80_0000_7f80_0000L, 0x0080_0000_0080_0000L,
                    0x8000_0000_8000_0000L) : first(weight) == null;
            case F16 -> whole ? isFinite(weight, bytes, 0x7c00_7c00_7c00_7c00L, 0x0400_0400_0400_0400L,
                    0x8000_8000_8000_8000L) : first(weight) == null;
            case BF16 -> whole ? isFinite(weight, bytes, 0x7f80_7f80_7f80_7f80L, 0x0080_0080_0080_0080L,
                    0x8000_8000_8000_8000L) : first(weight) == null;
            case I8, U8 -> true;
            default -> whole ? hasFiniteScales(weight) : first(weight) == null;
        };
    }

    /**
     * Whether no number has all bits of its exponent set.
     *
     * @param exponents the bits of the exponents
     * @param ones the lowest bit of each, which carries into the sign if all are set
     */
    private static boolean isFinite(Weight weight, int bytes, long exponents, long ones, long signs) {
        long size = weight.shape().elements() * bytes;
        MemorySegment memory = weight.segment();
        for (long at = 0; at < size - size % Long.BYTES; at += BLOCK) {
            if ((carries(memory, at, Math.min(BLOCK, size - size % Long.BYTES - at), exponents, ones) & signs) != 0) {
                return false;
            }
        }
        long rest = 0;
        for (long i = size - size % Long.BYTES; i < size; i++) {
            rest |= (memory.get(ValueLayout.JAVA_BYTE, i) & 0xffL) << Byte.SIZE * (i % Long.BYTES);
        }
        return ((rest & exponents) + ones & signs) == 0;
    }

    /** Of a weight in blocks: all that could be infinite or NaN are the scales of each block. */
    private static boolean hasFiniteScales(Weight weight) {
        int bytes = weight.layout().blockBytes();
        long size = weight.shape().elements() / weight.layout().blockValues() * bytes;
        for (int scale = 0; scale < weight.layout().blockScales(); scale++) {
            for (long at = weight.layout().scalesAt() + (long) scale * Short.BYTES; at < size; at += bytes) {
                if ((weight.segment().get(SHORT, at) & 0x7c00) == 0x7c00) {
                    return false;
                }
            }
        }
        return true;
    }

    private static long carries(MemorySegment memory, long from, long bytes, long exponents, long ones) {
        long found = 0;
        for (int i = 0; i < bytes; i += Long.BYTES) {
            found |= (memory.get(LONG, from + i) & exponents) + ones;
        }
        return found;
    }

    /** The first number that is not finite, and where it is; null if there is none. */
    private static String first(Weight weight) {
        Weight values = weight.scales() == null ? weight : Weight.of(weight.scales());
        int columns = (int) values.size(values.rank() - 1);
        long rows = values.rank() == 1 ? 1 : values.size(0);
        float[] row = new float[columns];
        for (long r = 0; r < rows; r++) {
            values.read(r, 0, columns, row, 0);
            for (int c = 0; c < columns; c++) {
                if (!Float.isFinite(row[c])) {
                    return row[c] + (values == weight ? " at " : " in the scales, at ")
                            + (values.rank() == 1 ? "[" + c + "]" : "[" + r + ", " + c + "]");
                }
            }
        }
        return null;
    }
}
