package dev.fovea.model.family;

import dev.fovea.Engine;
import dev.fovea.internal.backend.Device;
import dev.fovea.tensor.Weight;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.Weights;
import java.util.List;

/**
 * Finds weights that are not finite: one NaN makes every vector NaN, and stored as integers it would be a wrong number
 * that nobody sees.
 *
 * <p>All weights that a model packs or copies while it is loaded are looked at. The table of word
 * embeddings is not, unless it is the matrix of a head too: it is mapped, and most of it is never read. A row of it that
 * is not finite shows in the vectors of its texts.
 */
public final class FiniteWeights {
    private FiniteWeights() {}

    /**
     * Refuses weights that are not finite.
     *
     * @param matrixFile has the matrix of {@link Part#HEAD_OUTPUT}; null if {@code file} does
     * @throws FormatException naming the first tensor, and where in it
     */
    static void require(Description description, ModelWeights weights, Weights file, Engine engine, Weights matrixFile)
            throws FormatException {
        Device device = Device.of(engine);
        boolean tied = description.head() instanceof Head.Scores scores && scores.tied();
        WeightShapes.<FormatException>visit(description, (part, layer, bias, _) -> {
            Weight weight = bias ? weights.bias(part, layer) : weights.weight(part, layer);
            if ((part != Part.WORDS || tied) && weight != null && !isFinite(weight, device)) {
                Weights source = part == Part.HEAD_OUTPUT && matrixFile != null ? matrixFile : file;
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
            String found = first(words.row(id));
            if (found != null) {
                return "tensor " + nameIn(file, weights.candidates(Part.WORDS, 0, false)) + " of " + file.file()
                        + " has " + found + " of row " + id;
            }
        }
        return null;
    }

    private static String nameIn(Weights file, List<String> candidates) {
        return candidates.stream().filter(file::contains).findFirst().orElse(candidates.getFirst());
    }

    static boolean isFinite(Weight weight, Device device) {
        if (weight.scales() != null) {
            return isFinite(Weight.of(weight.scales()), device);
        }
        if (weight.isDense()) {
            return device.isFinite(weight);
        }
        boolean turned = weight.rank() == 2 && weight.layout().isPlain() && weight.transposed().isDense();
        return turned ? device.isFinite(weight.transposed()) : first(weight) == null;
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
