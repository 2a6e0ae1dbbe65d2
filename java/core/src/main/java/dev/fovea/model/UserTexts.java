package dev.fovea.model;

import dev.fovea.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What users and tools say in chats is text, also where it spells a special token of the model: nobody ends a turn by writing
 * so. Such places are marked before the template is rendered, and read as text where the marks come out of it.
 */
final class UserTexts {
    /** Two characters that are none: Unicode keeps them for use within programs. */
    private static final char BEGIN = '\uFDD0';
    private static final char END = '\uFDD1';

    private final Tokenizer tokenizer;

    UserTexts(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** A chat with marks around what must stay text. */
    Chat marked(Chat chat) {
        return new Chat(chat.messages().stream().map(this::marked).toList(), chat.tools(), chat.variables());
    }

    private ChatMessage marked(ChatMessage message) {
        String content = message.content().replace(BEGIN, '\uFFFD').replace(END, '\uFFFD');
        if (message.role().equals("user") || message.role().equals("tool")) {
            // The longest first: one may be within another.
            List<String> special = IntStream.of(tokenizer.encode(content)).filter(tokenizer::isSpecial).distinct()
                    .mapToObj(tokenizer::text).sorted((a, b) -> b.length() - a.length()).toList();
            content = mark(content, special);
        }
        return content.equals(message.content()) ? message : new ChatMessage(message.role(), content, message.more());
    }

    private static String mark(String content, List<String> special) {
        var marked = new StringBuilder();
        for (int at = 0; at < content.length();) {
            int from = at;
            String found = special.stream().filter(token -> content.startsWith(token, from)).findFirst().orElse(null);
            if (found == null) {
                marked.append(content.charAt(at++));
            } else {
                marked.append(BEGIN).append(found).append(END);
                at += found.length();
            }
        }
        return marked.toString();
    }

    /** A rendered text without marks. */
    static String plain(String marked) {
        return marked.replace(String.valueOf(BEGIN), "").replace(String.valueOf(END), "");
    }

    /** The ids of a rendered text. */
    int[] encode(String marked) {
        List<int[]> parts = new ArrayList<>();
        int at = 0;
        for (int begin = marked.indexOf(BEGIN); begin >= 0; begin = marked.indexOf(BEGIN, at)) {
            int end = marked.indexOf(END, begin);
            end = end < 0 ? marked.length() : end;
            parts.add(tokenizer.encode(plain(marked.substring(at, begin))));
            parts.add(tokenizer.encodeVerbatim(plain(marked.substring(begin, end))));
            at = Math.min(end + 1, marked.length());
        }
        parts.add(tokenizer.encode(plain(marked.substring(at))));
        return parts.stream().flatMapToInt(Arrays::stream).toArray();
    }
}
