package dev.fovea.model;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.text.ModelInput;
import dev.fovea.text.Tokenizer;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.BinaryOperator;

/**
 * What a language model is asked about a query and a document: by a template that knows messages of the roles {@code query}
 * and {@code document}, and {@code system} for the instruction, as sentence-transformers has it; or as Qwen3-Reranker was
 * trained, Zhang et al., arXiv:2506.05176. Immutable.
 */
final class PairPrompt {
    private static final String TASK = "Given a web search query, retrieve relevant passages that answer the query";
    private static final String HEAD = "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query"
            + " and the Instruct provided. Note that the answer can only be \"yes\" or \"no\".<|im_end|>\n<|im_start|>user\n";
    private static final String TAIL = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n";

    private final Tokenizer tokenizer;
    private final BinaryOperator<String> texts;

    /** Tokens that end every text, whatever query and document are: a text that is too long keeps them. */
    private final int[] tail;

    private PairPrompt(Tokenizer tokenizer, BinaryOperator<String> texts) {
        this.tokenizer = tokenizer;
        this.texts = texts;
        this.tail = commonTail(tokenizer.encode(texts.apply("0", "0")), tokenizer.encode(texts.apply("1 2 3 4", "1 2 3 4")));
    }

    /**
     * That of a model's template; null if it has none, or one that does not show queries and documents.
     *
     * @param instruction what the model is told to judge by; empty for the template's own
     */
    static PairPrompt ofTemplate(Path folder, Tokenizer tokenizer, String instruction) throws IOException {
        ChatTemplate template = ChatTemplate.of(folder, tokenizer);
        if (template == null) {
            return null;
        }
        BinaryOperator<String> texts = (query, document) -> template.render(chat(instruction, query, document), false);
        try {
            String plain = texts.apply("0", "0");
            if (plain.equals(texts.apply("1", "0")) || plain.equals(texts.apply("0", "1"))) {
                return null;
            }
        } catch (IllegalArgumentException e) {
            return null; // it refuses such messages
        } catch (UnsupportedOperationException e) {
            if (template.mentions("query") && template.mentions("document")) {
                throw e;
            }
            return null; // of a chat, which no library is needed to see
        }
        return new PairPrompt(tokenizer, texts);
    }

    /** That of Qwen3-Reranker's model card. */
    static PairPrompt ofQwen(Tokenizer tokenizer, String instruction) {
        String head = HEAD + "<Instruct>: " + (instruction.isEmpty() ? TASK : instruction) + "\n<Query>: ";
        return new PairPrompt(tokenizer, (query, document) -> head + query + "\n<Document>: " + document + TAIL);
    }

    private static Chat chat(String instruction, String query, String document) {
        List<ChatMessage> messages = new ArrayList<>();
        if (!instruction.isEmpty()) {
            messages.add(ChatMessage.system(instruction));
        }
        messages.add(new ChatMessage("query", query, Map.of()));
        messages.add(new ChatMessage("document", document, Map.of()));
        return Chat.of(messages);
    }

    private static int[] commonTail(int[] one, int[] other) {
        int count = 0;
        while (count < Math.min(one.length, other.length)
                && one[one.length - 1 - count] == other[other.length - 1 - count]) {
            count++;
        }
        return Arrays.copyOfRange(one, one.length - count, one.length);
    }

    /** Refuses a limit that leaves no room beside the end. */
    void requireRoom(int limit, JsonFile config) throws FormatException {
        if (tail.length >= limit) {
            throw new FormatException(config.file(), -1, "max_position_embeddings", "expected room for more than the "
                    + tail.length + " tokens that end a pair, got " + limit);
        }
    }

    /** The tokens of a pair. Of more than the limit, the last before the end are left out. */
    ModelInput input(String query, String document, int limit) {
        int[] ids = tokenizer.encode(texts.apply(query, document));
        boolean cut = ids.length > limit;
        if (cut) {
            ids = Arrays.copyOf(ids, limit);
            System.arraycopy(tail, 0, ids, limit - tail.length, tail.length);
        }
        int[] none = new int[ids.length];
        return new ModelInput(ids, none, none, none, none, none, cut);
    }
}
