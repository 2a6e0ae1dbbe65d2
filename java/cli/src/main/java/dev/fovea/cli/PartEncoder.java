package dev.fovea.cli;

import com.google.gson.stream.JsonWriter;
import dev.fovea.model.LateInteraction;
import dev.fovea.model.LengthPolicy;
import dev.fovea.model.SparseEncoder;
import java.io.IOException;
import java.io.Writer;
import java.util.List;
import java.util.Map;

/** Writes what a text consists of: weights of its terms, or vectors of its tokens. */
abstract class PartEncoder implements AutoCloseable {
    private PartEncoder() {}

    /** Terms, by a SPLADE model. */
    static PartEncoder ofTerms(EncoderArguments arguments, LengthPolicy policy) throws IOException {
        SparseEncoder encoder = SparseEncoder.load(arguments.directory(), arguments.options(policy));
        return new PartEncoder() {
            @Override
            void write(List<String> texts, Streams streams) throws IOException {
                List<SparseEncoder.SparseVector> vectors = encoder.encodeAll(texts);
                for (int i = 0; i < texts.size(); i++) {
                    writeTerms(streams.writer(), texts.get(i), encoder.terms(vectors.get(i)));
                    streams.print("\n");
                }
            }

            @Override
            public void close() {
                encoder.close();
            }
        };
    }

    /** Tokens, by a ColBERT model, as it reads documents. */
    static PartEncoder ofTokens(EncoderArguments arguments, LengthPolicy policy) throws IOException {
        LateInteraction encoder = LateInteraction.load(arguments.directory(), arguments.options(policy));
        return new PartEncoder() {
            @Override
            void write(List<String> texts, Streams streams) throws IOException {
                List<float[][]> vectors = encoder.encodeDocuments(texts);
                for (int i = 0; i < texts.size(); i++) {
                    writeTokens(streams.writer(), texts.get(i), vectors.get(i));
                    streams.print("\n");
                }
            }

            @Override
            public void close() {
                encoder.close();
            }
        };
    }

    private static void writeTerms(Writer writer, String text, Map<String, Float> terms) throws IOException {
        JsonWriter out = new JsonWriter(writer);
        out.beginObject().name("text").value(text).name("terms").beginObject();
        for (var term : terms.entrySet()) {
            out.name(term.getKey()).value(term.getValue());
        }
        out.endObject().endObject().flush();
    }

    private static void writeTokens(Writer writer, String text, float[][] vectors) throws IOException {
        JsonWriter out = new JsonWriter(writer);
        out.beginObject().name("text").value(text).name("embeddings").beginArray();
        for (float[] vector : vectors) {
            out.beginArray();
            for (float component : vector) {
                out.value(component);
            }
            out.endArray();
        }
        out.endArray().endObject().flush();
    }

    /** Writes a line of JSON for each text. */
    abstract void write(List<String> texts, Streams streams) throws IOException;

    @Override
    public abstract void close();
}
