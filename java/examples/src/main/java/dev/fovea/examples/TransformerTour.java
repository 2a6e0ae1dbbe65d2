package dev.fovea.examples;

import dev.fovea.Engine;
import dev.fovea.graph.Graph;
import dev.fovea.graph.Plan;
import dev.fovea.graph.Session;
import dev.fovea.graph.Value;
import dev.fovea.model.AttentionPattern;
import dev.fovea.model.GenerationOptions;
import dev.fovea.model.PositionalEncoding;
import dev.fovea.model.Transformer;
import dev.fovea.model.TransformerConfig.Architecture;
import dev.fovea.model.TransformerConfig;
import dev.fovea.model.ValueMap;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Mask;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/** The steps of docs/transformer.md. A test holds that the page's snippets are lines of this file. */
public final class TransformerTour {
    private static final int VOCABULARY = 100;
    private static final int D_MODEL = 32;
    private static final int HEADS = 4;
    private static final int HEAD_DIM = D_MODEL / HEADS;
    private static final int[] IDS = {17, 4, 99, 4, 23};

    private final PrintStream print;
    private final Arena arena;
    private final SplittableRandom random = new SplittableRandom(1);

    private TransformerTour(PrintStream print, Arena arena) {
        this.print = print;
        this.arena = arena;
    }

    public static void main(String[] args) {
        run(System.out);
    }

    static void run(PrintStream print) {
        try (Arena arena = Arena.ofConfined(); Engine engine = Engine.create()) {
            var tour = new TransformerTour(print, arena);
            tour.selfAttention(engine);
            tour.valueMaps();
            tour.decode();
        }
    }

    private void selfAttention(Engine engine) {
        Tensor words = random(VOCABULARY, D_MODEL);
        Tensor positions = PositionalEncoding.sinusoidal(arena, 512, D_MODEL);
        Graph.Builder g = Graph.builder();
        Value x = g.named("x").embedding(words, (float) Math.sqrt(D_MODEL), positions, 0, null); // [tokens, d_model]

        Tensor queryWeight = random(HEADS * HEAD_DIM, D_MODEL);
        Tensor keyWeight = random(HEADS * HEAD_DIM, D_MODEL);
        Tensor valueWeight = random(HEADS * HEAD_DIM, D_MODEL);
        Value query = g.named("query").linear(x, queryWeight, null); // what a token looks for
        Value key = g.named("key").linear(x, keyWeight, null);       // what it is found by
        Value value = g.named("value").linear(x, valueWeight, null); // what it gives to those that find it

        var spec = AttentionSpec.of(HEADS, HEAD_DIM) // softmax(query · key / √head_dim), of each head
                .withMask(Mask.causal());            // before the softmax: no token looks ahead
        Value mixed = g.named("mixed").attention(query, key, value, spec);

        Tensor outputWeight = random(D_MODEL, HEADS * HEAD_DIM);
        Value output = g.named("output").linear(mixed, outputWeight, null);
        Graph graph = g.build(output, query, key);

        try (Plan plan = Plan.compile(graph, engine); Session session = plan.newExplainingSession(IDS.length, 1)) {
            session.ids().segment().copyFrom(Tensor.copyOf(arena, IDS).segment());
            session.offsets().segment().setAtIndex(ValueLayout.JAVA_INT, 1, IDS.length);
            session.run(1);
            Tensor pattern = session.patterns().getFirst(); // [heads, queries, keys]
            print.println("What token 3 takes from those before it, head 1");
            printRow(row(pattern, 1, 3));
            print.println("The same by hand");
            printRow(byHand(session.output(1), session.output(2), 1, 3));
        }
    }

    /** The row of one query in the pattern of one head, as the formula says. */
    private static double[] byHand(Tensor query, Tensor key, int head, int i) {
        double[] weights = new double[IDS.length];
        double sum = 0;
        for (int j = 0; j <= i; j++) { // the look-ahead mask: keys behind the query stay 0
            double score = 0;
            for (int c = head * HEAD_DIM; c < (head + 1) * HEAD_DIM; c++) {
                score += (double) query.getFloat(i, c) * key.getFloat(j, c);
            }
            weights[j] = Math.exp(score / Math.sqrt(HEAD_DIM));
            sum += weights[j];
        }
        for (int j = 0; j <= i; j++) {
            weights[j] /= sum;
        }
        return weights;
    }

    private void valueMaps() {
        List<ValueMap.LowRank> heads = new ArrayList<>();
        for (int head = 0; head < HEADS; head++) {
            Tensor down = random(HEAD_DIM, D_MODEL); // to the value space of the head
            Tensor up = random(D_MODEL, HEAD_DIM);   // and back, by the head's columns of the output matrix
            heads.add(new ValueMap.LowRank(down, up));
        }
        ValueMap.Folded folded = ValueMap.fold(arena, heads);
        print.println("The ups of all heads are one matrix " + folded.output().shape());
        print.println("A head takes " + heads.getFirst().parameters() + " numbers, in full "
                + heads.getFirst().full(arena).parameters());
    }

    private void decode() {
        var config = TransformerConfig.base(Architecture.ENCODER_DECODER, VOCABULARY)
                .withSizes(2, D_MODEL, HEADS, 4 * D_MODEL); // layers, d_model, heads, d_ff
        try (Transformer model = Transformer.random(config, 1)) {
            int[] source = {5, 17, 9};
            int[] target = model.generate(source, GenerationOptions.greedy(0, 1, 6));
            AttentionPattern cross = model.explain(source, new int[] {0, target[0]}).cross();
            print.println("What the second token of the target takes from the source, layer 0, head 0");
            printRow(cross.row(0, 0, 1));
        }
    }

    private static float[] row(Tensor pattern, int head, int query) {
        float[] row = new float[IDS.length];
        for (int j = 0; j < row.length; j++) {
            row[j] = pattern.getFloat(head, query, j);
        }
        return row;
    }

    private void printRow(float[] row) {
        double[] wide = new double[row.length];
        for (int j = 0; j < row.length; j++) {
            wide[j] = row[j];
        }
        printRow(wide);
    }

    private void printRow(double[] row) {
        for (double weight : row) {
            print.printf(Locale.ROOT, "  %.4f", weight);
        }
        print.println();
    }

    private Tensor random(int rows, int columns) {
        Tensor tensor = Tensor.allocate(arena, DType.F32, Shape.of(rows, columns));
        for (int i = 0; i < rows * columns; i++) {
            tensor.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextDouble(-0.2, 0.2));
        }
        return tensor;
    }
}
