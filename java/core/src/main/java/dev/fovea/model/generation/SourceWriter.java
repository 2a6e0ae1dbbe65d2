package dev.fovea.model.generation;

import dev.fovea.graph.CacheSet;
import dev.fovea.graph.Session;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Reads the prompt of a request by an encoder, once, and writes its answer by a decoder, token by token, in the thread of its
 * caller. Serves one request at a time.
 */
public final class SourceWriter implements TokenWriter, AutoCloseable {
    private static final int GRANULE = 64;

    private final Session encoder;
    private final CacheSet memory;
    private final Session decoder;
    private final CacheSet own;
    private final Sampler sampler;
    private final int start;
    private boolean began;
    private int last;

    /**
     * Closes what it is given.
     *
     * @param memory keys and values of the source, which the encoder appends and the decoder reads
     * @param own those of the answer
     * @param start the token that begins answers
     */
    public SourceWriter(Session encoder, CacheSet memory, Session decoder, CacheSet own, Sampler sampler, int start) {
        this.encoder = encoder;
        this.memory = memory;
        this.decoder = decoder;
        this.own = own;
        this.sampler = sampler;
        this.start = start;
    }

    @Override
    public void submit(TokenRequest request) {
        began = false;
        last = start;
    }

    @Override
    public int await(TokenRequest request, int heard) {
        while (request.written() <= heard && !request.hasEnded()) {
            if (Thread.currentThread().isInterrupted()) {
                request.cancel();
            } else if (request.isLate(System.nanoTime())) {
                request.end(TokenRequest.State.LATE);
            } else {
                step(request);
            }
        }
        return request.written();
    }

    private void step(TokenRequest request) {
        if (!began) {
            begin(request);
        }
        decoder.ids().segment().set(ValueLayout.JAVA_INT, 0, last);
        MemorySegment offsets = decoder.offsets().segment();
        offsets.setAtIndex(ValueLayout.JAVA_INT, 0, 0);
        offsets.setAtIndex(ValueLayout.JAVA_INT, 1, 1);
        decoder.run(1);
        last = request.choose(sampler, decoder.output().segment());
    }

    private void begin(TokenRequest request) {
        began = true;
        request.begin(0);
        own.reset();
        memory.reset();
        int length = request.promptLength();
        encoder.ensureCapacity(Math.min(memory.capacity(), Math.ceilDiv(length, GRANULE) * GRANULE), 1);
        encoder.run(1, MemorySegment.ofArray(request.tokens()), MemorySegment.ofArray(new int[] {0, length}));
        request.choice().begin(sampler);
        sampler.start(request.sampling());
        sampler.read(start);
    }

    @Override
    public void leave(TokenRequest request) {
        request.cancel();
    }

    @Override
    public void close() {
        encoder.close();
        decoder.close();
        memory.close();
        own.close();
    }
}
