package dev.fovea.server.openai;

import dev.fovea.model.GeneratedText;
import dev.fovea.model.GeneratedText.Alternative;
import dev.fovea.model.TextGenerator;
import dev.fovea.server.json.JsonText;
import dev.fovea.text.TokenDecoder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Tokens of an answer one after the other, and the logarithms of their probabilities; of each place also the likeliest tokens, if
 * wanted.
 *
 * @param offset characters of the tokens before
 */
record LogProbabilities(List<Entry> tokens, List<List<Entry>> likeliest, int offset) {
    /**
     * A token and the logarithm of its probability.
     *
     * @param bytes of its text, which may be a part of a character; null if that depends on the tokens beside it
     */
    record Entry(String text, byte[] bytes, float value) {
        static Entry of(int id, float value, TextGenerator model, TokenDecoder decoder) {
            if (id >= model.tokenizer().vocabularySize()) {
                return new Entry("", new byte[0], value);
            }
            return new Entry(model.token(id), decoder.tellsBytes() ? decoder.bytes(id) : null, value);
        }
    }

    /** Gathers those of an answer as it is written. */
    static final class Gathering {
        private final TextGenerator model;
        private final TokenDecoder decoder;
        private final List<Entry> tokens = new ArrayList<>();
        private final List<List<Entry>> likeliest = new ArrayList<>();
        private int count;
        private int offset;

        Gathering(TextGenerator model) {
            this.model = model;
            this.decoder = model.tokenizer().decoder(true);
        }

        void add(int token, float logProbability, List<Alternative> alternatives) {
            tokens.add(Entry.of(token, logProbability, model, decoder));
            if (!alternatives.isEmpty()) {
                likeliest.add(alternatives.stream().map(one -> Entry.of(one.token(), one.logProbability(), model, decoder)).toList());
            }
            count++;
        }

        /** Those of an answer that are not added yet. */
        Gathering addRest(GeneratedText answer) {
            while (count < answer.tokens().length) {
                int place = count;
                add(answer.tokens()[place], answer.logProbabilities()[place],
                        answer.alternatives().isEmpty() ? List.of() : answer.alternatives().get(place));
            }
            return this;
        }

        /** What was added since the last time; null if there is nothing. */
        LogProbabilities take() {
            if (tokens.isEmpty()) {
                return null;
            }
            var taken = new LogProbabilities(List.copyOf(tokens), List.copyOf(likeliest), offset);
            offset += tokens.stream().mapToInt(token -> token.text().length()).sum();
            tokens.clear();
            likeliest.clear();
            return taken;
        }
    }

    /** Those of an answer; null if they were not asked for. */
    static LogProbabilities of(GeneratedText result, TextGenerator model) {
        return result.logProbabilities().length == 0 ? null : new Gathering(model).addRest(result).take();
    }

    /** As chats have them. */
    void writeChat(JsonText json) {
        json.object("logprobs", all -> all.array("content", content -> {
            for (int i = 0; i < tokens.size(); i++) {
                List<Entry> place = likeliest.isEmpty() ? List.of() : likeliest.get(i);
                Entry token = tokens.get(i);
                content.object(one -> {
                    write(one, token);
                    one.array("top_logprobs", top -> place.forEach(entry -> top.object(other -> write(other, entry))));
                });
            }
        }).putNull("refusal"));
    }

    private static void write(JsonText json, Entry entry) {
        json.put("token", entry.text()).put("logprob", entry.value());
        if (entry.bytes() == null) {
            json.putNull("bytes");
            return;
        }
        json.array("bytes", bytes -> {
            for (byte one : entry.bytes()) {
                bytes.value(one & 0xff);
            }
        });
    }

    /** As completions have them. */
    void writeCompletion(JsonText json) {
        json.object("logprobs", all -> {
            all.array("tokens", texts -> tokens.forEach(token -> texts.value(token.text())));
            float[] values = new float[tokens.size()];
            for (int i = 0; i < values.length; i++) {
                values[i] = tokens.get(i).value();
            }
            all.array("token_logprobs", numbers -> numbers.values(values));
            if (likeliest.isEmpty()) {
                all.putNull("top_logprobs");
            } else {
                all.array("top_logprobs", places -> {
                    for (int i = 0; i < tokens.size(); i++) {
                        Map<String, Float> place = byText(likeliest.get(i), tokens.get(i));
                        places.object(one -> place.forEach(one::put));
                    }
                });
            }
            all.array("text_offset", offsets -> {
                int at = offset;
                for (Entry token : tokens) {
                    offsets.value(at);
                    at += token.text().length();
                }
            });
        });
    }

    /** The likeliest tokens, and the one that was written, where it is none of them. Of several of a text, the likeliest. */
    private static Map<String, Float> byText(List<Entry> likeliest, Entry written) {
        Map<String, Float> all = new LinkedHashMap<>();
        likeliest.forEach(entry -> all.putIfAbsent(entry.text(), entry.value()));
        all.putIfAbsent(written.text(), written.value());
        return all;
    }
}
