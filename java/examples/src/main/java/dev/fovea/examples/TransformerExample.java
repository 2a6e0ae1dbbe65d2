package dev.fovea.examples;

import dev.fovea.model.AttentionPattern;
import dev.fovea.model.GenerationOptions;
import dev.fovea.model.Transformer;
import dev.fovea.model.TransformerConfig;
import dev.fovea.model.TransformerConfig.Architecture;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** The Transformer of the paper with random weights: two sources at once, token by token, and what it looked at. */
public final class TransformerExample {
    private static final int START = 0;
    private static final int END = 1;
    private static final List<int[]> SOURCES = List.of(new int[] {5, 17, 9}, new int[] {8, 8, 30, 2, 11});

    private TransformerExample() {}

    public static void main(String[] args) {
        run(System.out);
    }

    static void run(PrintStream print) {
        var config = TransformerConfig.base(Architecture.ENCODER_DECODER, 40).withSizes(2, 64, 4, 256);
        try (Transformer model = Transformer.random(config, 1)) {
            var options = GenerationOptions.greedy(START, END, 6).withBeams(3, 0.6);
            print.println("Tokens as they are certain");
            List<int[]> targets = model.generateAll(SOURCES, options,
                    (source, token) -> print.println("  source " + source + ": " + token));

            // What the decoder reads begins with the start.
            int[] read = IntStream.concat(IntStream.of(START), IntStream.of(targets.getFirst())).toArray();
            AttentionPattern cross = model.explain(SOURCES.getFirst(), read).cross();
            print.println("What each token of target 0 takes from source 0 in layer 1, head 2");
            for (int query = 0; query < cross.queries(); query++) {
                print.printf("  %3s  ", cross.queryTokens().get(query));
                for (float weight : cross.row(1, 2, query)) {
                    print.printf(Locale.ROOT, "  %.2f", weight);
                }
                print.println();
            }
        }
    }
}
