package dev.fovea.server.openai;

import dev.fovea.model.GeneratedText;
import dev.fovea.model.TextGenerator;
import dev.fovea.server.json.JsonText;
import dev.fovea.text.Tokenizer;
import java.nio.charset.StandardCharsets;

/** The tokens of an answer, and the logarithms of their probabilities. */
record LogProbabilities(String[] texts, float[] values) {
    private static final char BROKEN = '\uFFFD';

    /** Those of an answer; null if they were not asked for. */
    static LogProbabilities of(GeneratedText result, TextGenerator model) {
        if (result.logProbabilities().length == 0) {
            return null;
        }
        Tokenizer tokenizer = model.tokenizer();
        String[] texts = new String[result.tokens().length];
        for (int i = 0; i < texts.length; i++) {
            int id = result.tokens()[i];
            texts[i] = id < tokenizer.vocabularySize() ? tokenizer.decode(new int[] {id}, true) : "";
        }
        return new LogProbabilities(texts, result.logProbabilities());
    }

    /** As chats have them. */
    void writeChat(JsonText json) {
        json.object("logprobs", all -> all.array("content", content -> {
            for (int i = 0; i < texts.length; i++) {
                int token = i;
                content.object(one -> {
                    one.put("token", texts[token]).put("logprob", values[token]);
                    writeBytes(one, texts[token]);
                    one.array("top_logprobs", _ -> { });
                });
            }
        }).putNull("refusal"));
    }

    /** A part of a character has bytes that its text does not say. */
    private static void writeBytes(JsonText json, String text) {
        if (text.indexOf(BROKEN) >= 0) {
            json.putNull("bytes");
            return;
        }
        json.array("bytes", bytes -> {
            for (byte one : text.getBytes(StandardCharsets.UTF_8)) {
                bytes.value(one & 0xff);
            }
        });
    }

    /** As completions have them. */
    void writeCompletion(JsonText json) {
        json.object("logprobs", all -> {
            all.array("tokens", tokens -> {
                for (String text : texts) {
                    tokens.value(text);
                }
            });
            all.array("token_logprobs", numbers -> numbers.values(values)).putNull("top_logprobs");
            all.array("text_offset", offsets -> {
                int offset = 0;
                for (String text : texts) {
                    offsets.value(offset);
                    offset += text.length();
                }
            });
        });
    }
}
