package dev.fovea.bench.encode;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.model.EncoderOptions;
import dev.fovea.model.EncoderSession;
import dev.fovea.model.ModelCatalog;
import dev.fovea.model.TextEncoder;
import dev.fovea.model.WeightType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/** Fovea: a session per thread, with token ids and vectors off the heap. */
final class FoveaMiniLm implements MiniLm {
    private final TextEncoder encoder;

    private FoveaMiniLm(TextEncoder encoder) {
        this.encoder = encoder;
    }

    static FoveaMiniLm load(Backend backend, WeightType weights, int threads) throws IOException {
        EngineOptions engine = EngineOptions.defaults().withBackend(backend).withThreads(threads);
        EncoderOptions options = EncoderOptions.defaults().withEngineOptions(engine).withWeights(weights);
        return new FoveaMiniLm(TextEncoder.load(withoutLimit(), options));
    }

    /** The model without the file that limits it to 256 of the 512 tokens that it has positions for. */
    private static Path withoutLimit() throws IOException {
        Path model = ModelCatalog.directory(ModelCatalog.find("all-minilm-l6-v2").orElseThrow());
        Path directory = Files.createTempDirectory("fovea-bench");
        directory.toFile().deleteOnExit();
        for (String name : new String[] {"model.onnx", "tokenizer.json", "config.json", "modules.json", "1_Pooling"}) {
            Files.createSymbolicLink(directory.resolve(name), model.resolve(name)).toFile().deleteOnExit();
        }
        return directory;
    }

    @Override
    public String version() {
        return Artifact.fovea();
    }

    @Override
    public String setting() {
        Engine engine = encoder.engine();
        if (engine.backend() == Backend.CUDA) {
            return engine.device() + ", kernels " + engine.isa() + ", weights " + encoder.weights() + ", session reused";
        }
        return "kernels " + engine.isa() + ", " + engine.threads() + (engine.threads() == 1 ? " thread" : " threads")
                + ", weights " + encoder.weights() + ", sessions reused";
    }

    @Override
    public TokenEncoder encoder(List<TokenBatch> batches) {
        return new Batches(encoder.newSession(), batches);
    }

    private static final class Batches implements TokenEncoder {
        private final EncoderSession session;
        private final MemorySegment[] ids;
        private final MemorySegment[] offsets;
        private final MemorySegment[] outs;
        private MemorySegment last;

        Batches(EncoderSession session, List<TokenBatch> batches) {
            this.session = session;
            Arena arena = Arena.ofAuto();
            ids = segments(batches, batch -> arena.allocateFrom(ValueLayout.JAVA_INT, batch.ids()));
            offsets = segments(batches, batch -> arena.allocateFrom(ValueLayout.JAVA_INT, batch.offsets()));
            outs = segments(batches, batch ->
                    arena.allocate(ValueLayout.JAVA_FLOAT, (long) batch.sequences() * DIMENSION));
        }

        private static MemorySegment[] segments(List<TokenBatch> batches,
                Function<TokenBatch, MemorySegment> segment) {
            return batches.stream().map(segment).toArray(MemorySegment[]::new);
        }

        @Override
        public void encode(int batch) {
            last = outs[batch];
            session.encode(ids[batch], offsets[batch], last);
        }

        @Override
        public float[] vectors() {
            return last.toArray(ValueLayout.JAVA_FLOAT);
        }
    }
}
