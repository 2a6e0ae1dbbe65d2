package dev.fovea.text;

import dev.fovea.internal.text.AddedToken;
import dev.fovea.weights.FormatException;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.ToIntFunction;

/** What special tokens of a tokenizer are for. */
final class Roles {
    /** Those that published models end a turn with, where their files do not say it. */
    private static final List<String> TURN_ENDS = List.of("<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<turn|>",
            "<|endoftext|>", "<|end_of_text|>", "<EOT>", "[EOT]", "<end_of_utterance>", "<\uff5cend\u2581of\u2581sentence\uff5c>");
    private static final String MESSAGE_END = "<|eom_id|>";
    /** With these two, {@code <|end|>} ends a part of an answer. */
    private static final Set<String> PARTS_GO_ON = Set.of("<|return|>", "<|call|>");
    private static final String PART_END = "<|end|>";
    private static final Map<SpecialToken, String> SETTINGS = Map.of(SpecialToken.BOS, "bos_token", SpecialToken.EOS,
            "eos_token", SpecialToken.UNK, "unk_token", SpecialToken.SEP, "sep_token", SpecialToken.PAD, "pad_token",
            SpecialToken.CLS, "cls_token", SpecialToken.MASK, "mask_token");

    private final Map<SpecialToken, Integer> ids = new EnumMap<>(SpecialToken.class);
    private final Set<Integer> ends = new TreeSet<>();

    /** Whether the spelling of an end may begin so: asked of all tokens of a vocabulary. */
    static boolean mayBeginEnd(char first) {
        return first == '<' || first == '[';
    }

    /** Whether a token that is spelled so ends a turn or a message in published models. */
    static boolean isEnd(String token) {
        return TURN_ENDS.contains(token) || token.equals(MESSAGE_END);
    }

    /** Those that the files beside a {@code tokenizer.json} say. */
    static Roles of(TokenizerSettings settings, ToIntFunction<String> vocabulary) throws FormatException {
        Roles roles = new Roles();
        for (var setting : SETTINGS.entrySet()) {
            String content = settings.special(setting.getValue(), null);
            if (content != null) {
                roles.put(setting.getKey(), vocabulary.applyAsInt(content));
            }
        }
        return roles;
    }

    /** Adds a role; nothing for −1. */
    void put(SpecialToken role, int id) {
        if (id >= 0) {
            ids.put(role, id);
        }
    }

    /** Adds what the spelling of tokens says, where nothing else does. */
    void complete(List<AddedToken> tokens, int unknown) {
        if (unknown >= 0) {
            ids.putIfAbsent(SpecialToken.UNK, unknown);
        }
        Set<String> contents = new HashSet<>();
        for (AddedToken token : tokens) {
            contents.add(token.content());
        }
        boolean goesOn = contents.containsAll(PARTS_GO_ON);
        for (String end : TURN_ENDS) {
            for (AddedToken token : tokens) {
                if (token.content().equals(end) && !(goesOn && end.equals(PART_END))) {
                    ids.putIfAbsent(SpecialToken.EOT, token.id());
                    ends.add(token.id());
                }
            }
        }
        for (AddedToken token : tokens) {
            if (token.content().equals(MESSAGE_END)) {
                ids.putIfAbsent(SpecialToken.EOM, token.id());
            }
            if (goesOn && PARTS_GO_ON.contains(token.content())) {
                ends.add(token.id());
            }
        }
        for (SpecialToken end : List.of(SpecialToken.EOS, SpecialToken.EOT, SpecialToken.EOM)) {
            if (ids.containsKey(end)) {
                ends.add(ids.get(end));
            }
        }
    }

    /** The id of the token of a role, or −1. */
    int id(SpecialToken role) {
        return ids.getOrDefault(role, -1);
    }

    /** The ids of all tokens that end what a model writes, in ascending order. */
    int[] ends() {
        return ends.stream().mapToInt(Integer::intValue).toArray();
    }
}
