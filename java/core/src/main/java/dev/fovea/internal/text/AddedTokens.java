package dev.fovea.internal.text;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Finds added tokens in a text: the one that begins first, and of those the longest. */
final class AddedTokens {
    private final PieceTrie trie = new PieceTrie();
    private final List<AddedToken> tokens = new ArrayList<>();
    private final Set<String> spellings = new HashSet<>();
    /** The ASCII characters that tokens begin with. */
    private long low;
    private long high;
    private boolean hasOthers;

    /** Adds a token that is spelled so; nothing if one is already. */
    void add(AddedToken token, String spelling) {
        if (spelling.isEmpty() || !spellings.add(spelling)) {
            return;
        }
        int first = spelling.codePointAt(0);
        trie.add(spelling, tokens.size());
        tokens.add(token);
        if (first >= 128) {
            hasOthers = true;
        } else if (first >= 64) {
            high |= 1L << first;
        } else {
            low |= 1L << first;
        }
    }

    private boolean mayBegin(int code) {
        return code < 64 ? (low >>> code & 1) != 0 : code < 128 ? (high >>> code & 1) != 0 : hasOthers;
    }

    /**
     * Cuts a text into tokens and what is between.
     *
     * @param verbatim whether special tokens that it spells out are text
     */
    void cut(Characters text, Pieces pieces, boolean verbatim) {
        pieces.clear();
        int[] codes = text.codes;
        int last = 0;
        for (int at = 0; at < text.size;) {
            int found = -1;
            int end = -1;
            if (mayBegin(codes[at])) {
                int node = 0;
                for (int i = at; i < text.size && (node = trie.next(node, codes[i])) >= 0; i++) {
                    if (trie.piece(node) >= 0) {
                        found = trie.piece(node);
                        end = i + 1;
                    }
                }
            }
            if (found < 0) {
                at++;
                continue;
            }
            AddedToken token = tokens.get(found);
            boolean isToken = !(verbatim && token.special()) && (!token.singleWord() || (at == 0 || !Unicode.is(codes[at - 1], Unicode.WORD))
                    && (end == text.size || !Unicode.is(codes[end], Unicode.WORD)));
            if (isToken) {
                int start = at;
                int stop = end;
                while (token.stripsLeft() && start > 0 && Unicode.is(codes[start - 1], Unicode.SPACE)) {
                    start--;
                }
                start = token.stripsLeft() ? Math.max(start, last) : start;
                while (token.stripsRight() && stop < text.size && Unicode.is(codes[stop], Unicode.SPACE)) {
                    stop++;
                }
                pieces.add(last, start, -1);
                pieces.add(start, stop, token.id());
                last = stop;
            }
            at = end;
        }
        pieces.add(last, text.size, -1);
    }
}
