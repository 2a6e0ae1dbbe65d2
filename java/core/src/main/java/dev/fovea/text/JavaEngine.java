package dev.fovea.text;

import dev.fovea.internal.text.TokenPipeline;
import dev.fovea.internal.text.Tokens;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/** Tokenizes in plain Java. */
record JavaEngine(TokenPipeline pipeline) implements Engine {
    @Override
    public int[] encode(String text) {
        return pipeline.encode(text, false, false, JavaEngine::ids);
    }

    @Override
    public int[] encodeVerbatim(String text) {
        return pipeline.encodeVerbatim(text, JavaEngine::ids);
    }

    private static int[] ids(Tokens tokens) {
        return Arrays.copyOf(tokens.ids(), tokens.size());
    }

    @Override
    public int encode(CharSequence text, MemorySegment ids) {
        return pipeline.encode(text, ids);
    }

    @Override
    public List<String> tokens(String text) {
        return pipeline.encode(text, false, true, Tokens::spellings);
    }

    @Override
    public Inputs.Body tokenize(String text) {
        return pipeline.encode(text, true, false,
                tokens -> new Inputs.Body(ids(tokens), tokens.starts(), tokens.ends(), tokens.words()));
    }

    @Override
    public String token(int id) {
        return pipeline.token(id);
    }

    @Override
    public void free() {
        // Nothing is native.
    }
}
