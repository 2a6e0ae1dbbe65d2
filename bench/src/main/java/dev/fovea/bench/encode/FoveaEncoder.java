package dev.fovea.bench.encode;

import dev.fovea.Backend;
import dev.fovea.EngineOptions;
import dev.fovea.model.EncoderOptions;
import dev.fovea.model.EncoderSession;
import dev.fovea.model.TextEncoder;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Fovea: a session, with token ids and vectors off the heap. */
final class FoveaEncoder implements TokenEncoder {
    private final Arena arena = Arena.ofShared();
    private final List<MemorySegment> ids = new ArrayList<>();
    private final MemorySegment offsets;
    private final MemorySegment out;
    private final TextEncoder encoder;
    private final EncoderSession session;

    /** An encoder of {@code batches}, all of one shape. */
    FoveaEncoder(Path model, Backend backend, int threads, List<TokenBatch> batches) throws IOException {
        EngineOptions engine = EngineOptions.defaults().withBackend(backend).withThreads(threads);
        encoder = TextEncoder.load(model, EncoderOptions.defaults().withEngineOptions(engine));
        session = encoder.newSession();
        for (TokenBatch batch : batches) {
            ids.add(arena.allocateFrom(ValueLayout.JAVA_INT, batch.ids()));
        }
        TokenBatch first = batches.getFirst();
        offsets = arena.allocate(ValueLayout.JAVA_INT, first.sequences() + 1);
        for (int i = 0; i <= first.sequences(); i++) {
            offsets.setAtIndex(ValueLayout.JAVA_INT, i, i * first.length());
        }
        out = arena.allocate(ValueLayout.JAVA_FLOAT, (long) first.sequences() * DIMENSION);
    }

    @Override
    public void encode(int batch) {
        session.encode(ids.get(batch), offsets, out);
    }

    @Override
    public float[] vectors() {
        return out.toArray(ValueLayout.JAVA_FLOAT);
    }

    @Override
    public void close() {
        session.close();
        encoder.close();
        arena.close();
    }
}
