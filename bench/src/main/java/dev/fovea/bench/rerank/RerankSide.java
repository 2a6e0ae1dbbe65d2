package dev.fovea.bench.rerank;

import dev.fovea.bench.study.Verdict;
import dev.fovea.text.ModelInput;
import dev.fovea.text.Tokenizer;
import dev.fovea.text.Truncation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Scores the passages of a query. Nothing frees it before its process ends. */
interface RerankSide {
    /** {@code Reranker.score}, of texts. */
    String FOVEA = "Fovea";

    /** ONNX Runtime on batches as the passages come, each padded to the longest of its batch. */
    String ARRIVAL = "ONNX Runtime padded, arrival order";

    /** ONNX Runtime on batches of passages of similar length. */
    String SORTED = "ONNX Runtime padded, sorted by length";

    /** ONNX Runtime on one passage at a time, without padding. */
    String SINGLE = "ONNX Runtime one by one";

    /** The score of each passage: the work that is timed. */
    float[] score();

    /** How it runs. */
    String setting();

    /** A query with its passages, of a model in a directory. */
    record Work(Path directory, List<String> passages) {
        /** Writes a model, and passages for it. */
        static Work of(String model, int[] lengths) throws IOException {
            Path directory = Files.createTempDirectory("fovea-bench");
            var encoder = new CrossEncoder(CrossEncoder.Shape.of(model));
            Path tokenizer = Passages.tokenizer();
            Files.createSymbolicLink(directory.resolve("tokenizer.json"), tokenizer);
            Files.writeString(directory.resolve("config.json"), encoder.config());
            encoder.writeSafetensors(directory.resolve("model.safetensors"));
            OnnxFile.write(encoder, directory.resolve("model.onnx"));
            directory.toFile().deleteOnExit();
            for (String name : List.of("tokenizer.json", "config.json", "model.safetensors", "model.onnx")) {
                directory.resolve(name).toFile().deleteOnExit();
            }
            try (Tokenizer loaded = Tokenizer.load(tokenizer)) {
                return new Work(directory, Passages.of(lengths, loaded));
            }
        }

        /** The same model on the first passages. */
        Work first(int count) {
            return new Work(directory, passages.subList(0, Math.min(count, passages.size())));
        }

        /** What a model reads of each passage. */
        List<ModelInput> inputs() throws IOException {
            try (Tokenizer tokenizer = Tokenizer.load(directory.resolve("tokenizer.json"))) {
                return passages.stream().map(passage -> tokenizer.input(Passages.QUERY, passage,
                        Truncation.LONGEST_FIRST, CrossEncoder.Shape.POSITIONS)).toList();
            }
        }
    }

    /**
     * Loads a side.
     *
     * @param threads that share one call
     * @throws Verdict.NotTimed if the side is absent, which is then said already
     */
    static RerankSide load(String side, Work work, int threads) throws Exception {
        try {
            return side.equals(FOVEA) ? new FoveaRerank(work, threads) : OnnxRuntimeRerank.load(side, work, threads);
        } catch (NoClassDefFoundError e) {
            throw Verdict.absent("not on the class path: " + e.getMessage());
        }
    }
}
