package dev.fovea.text;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Small tokenizers of all kinds of parts, as files have them. */
final class ComponentJson {
    private static final String FLAGS = "\"single_word\":%b,\"lstrip\":%b,\"rstrip\":%b,\"normalized\":%b,\"special\":%b}";

    static final List<String> NORMALIZERS = List.of("null", type("NFC"), type("NFD"), type("NFKC"), type("NFKD"),
            type("Lowercase"), type("StripAccents"), type("Nmt"), type("ByteLevel"),
            "{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":true}",
            "{\"type\":\"Strip\",\"strip_left\":false,\"strip_right\":true}",
            "{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":false}",
            "{\"type\":\"Prepend\",\"prepend\":\"▁\"}", "{\"type\":\"Prepend\",\"prepend\":\"ab\"}",
            replace("String", " ", "▁"), replace("String", "''", "\\\""), replace("Regex", " {2,}", " "),
            replace("Regex", "\\\\s+", ""), replace("Regex", "[aeiou]+\\\\p{M}*", "<v>"), bert("true", "true", "null", "true"),
            bert("true", "true", "false", "false"), bert("false", "false", "true", "false"),
            bert("true", "false", "true", "true"), bert("false", "true", "null", "false"),
            "{\"type\":\"Sequence\",\"normalizers\":[" + type("NFD") + "," + type("StripAccents") + "," + type("Lowercase")
                    + "]}",
            "{\"type\":\"Sequence\",\"normalizers\":[" + type("Nmt") + "," + type("NFKC") + ","
                    + replace("Regex", " {2,}", " ") + "]}",
            GraphemeProbe.charsmap("a", "bcd"), GraphemeProbe.charsmap("\u0301", ""), GraphemeProbe.charsmap("e", ""),
            GraphemeProbe.charsmap("\u0e33", "xyz\u00fc\ud83d\ude00"));

    static final List<String> PRE_TOKENIZERS = List.of("null", type("BertPreTokenizer"), type("Whitespace"),
            type("WhitespaceSplit"), punctuation("Removed"), punctuation("Isolated"), punctuation("MergedWithPrevious"),
            punctuation("MergedWithNext"), punctuation("Contiguous"), type("Punctuation"),
            "{\"type\":\"Digits\",\"individual_digits\":true}", "{\"type\":\"Digits\",\"individual_digits\":false}",
            "{\"type\":\"CharDelimiterSplit\",\"delimiter\":\"n\"}", byteLevel(true, true), byteLevel(true, false),
            byteLevel(false, true), byteLevel(false, false), metaspace("always", true), metaspace("first", true),
            metaspace("never", true), metaspace("always", false), metaspace("first", false),
            "{\"type\":\"Metaspace\",\"replacement\":\"▁\",\"add_prefix_space\":true}",
            "{\"type\":\"Sequence\",\"pretokenizers\":[" + type("WhitespaceSplit") + "," + metaspace("always", true) + "]}",
            "{\"type\":\"Sequence\",\"pretokenizers\":[" + type("Punctuation") + ","
                    + "{\"type\":\"Digits\",\"individual_digits\":true}," + byteLevel(true, true) + "]}",
            "{\"type\":\"Sequence\",\"pretokenizers\":[" + metaspace("first", true) + "," + punctuation("Isolated") + "]}");

    /** Patterns of published models, and others. */
    static final List<String> PATTERNS = List.of(
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+"
                    + "|\\s+(?!\\S)|\\s+",
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+"
                    + "|\\s+(?!\\S)|\\s+",
            "(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]"
                    + "|\\s+(?!\\S)|\\s",
            "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
                    + "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*"
                    + "(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
            "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+",
            "\\s?\\p{L}+|\\s?\\p{P}+|[一-龥ࠀ-一가-퟿]+", " ?[^(\\s|[.,!?…。，、।۔،])]+", "[0-9][0-9][0-9]|\\d",
            "\\p{Han}+|[\\p{Hiragana}\\p{Katakana}]+", "(a|b|in)*?n(?=g|\\s)|(?<=\\p{L})[0-9]+|(?<!i)ng", "\\bi\\w+?\\b|\\B-\\B",
            "(?>a+|an)n|[^\\W\\d_]{2,4}?|x", "^\\s*|\\s*$|x?", "(?:in|ng){1,2}|\\P{L}{3}", "[^\\n]+|\\n\\z", ".+?\\n|\\A.");

    private ComponentJson() {}

    private static String type(String name) {
        return "{\"type\":\"" + name + "\"}";
    }

    private static String replace(String kind, String pattern, String content) {
        return "{\"type\":\"Replace\",\"pattern\":{\"%s\":\"%s\"},\"content\":\"%s\"}".formatted(kind, pattern, content);
    }

    private static String bert(String clean, String chinese, String accents, String lower) {
        return "{\"type\":\"BertNormalizer\",\"clean_text\":%s,\"handle_chinese_chars\":%s,\"strip_accents\":%s,\"lowercase\":%s}"
                .formatted(clean, chinese, accents, lower);
    }

    private static String punctuation(String behavior) {
        return "{\"type\":\"Punctuation\",\"behavior\":\"" + behavior + "\"}";
    }

    private static String byteLevel(boolean space, boolean regex) {
        return "{\"type\":\"ByteLevel\",\"add_prefix_space\":%b,\"trim_offsets\":true,\"use_regex\":%b}".formatted(space, regex);
    }

    private static String metaspace(String scheme, boolean split) {
        return "{\"type\":\"Metaspace\",\"replacement\":\"▁\",\"prepend_scheme\":\"%s\",\"split\":%b}".formatted(scheme, split);
    }

    /** Splits by a pattern. */
    static String split(String pattern, String behavior, boolean inverted) {
        return "{\"type\":\"Split\",\"pattern\":{\"Regex\":%s},\"behavior\":\"%s\",\"invert\":%b}".formatted(
                new JsonPrimitive(pattern), behavior, inverted);
    }

    /** A model with tokens such as these, and added tokens of all kinds. */
    static String tokenizer(String normalizer, String preTokenizer, String model, List<String> added) {
        return "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[" + String.join(",", added)
                + "],\"normalizer\":" + normalizer + ",\"pre_tokenizer\":" + preTokenizer
                + ",\"post_processor\":null,\"decoder\":null,\"model\":" + model + "}";
    }

    /** One whose tokens are the words, as they stand. */
    static String words() {
        return "{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"<unknown>\",0.0]],\"byte_fallback\":false}";
    }

    /** Random added tokens, with the ids that they have beside a model. */
    static List<String> added(Random random, String model) {
        Map<String, Integer> ids = ids(JsonParser.parseString(model).getAsJsonObject().get("vocab"));
        int next = ids.size();
        List<String> all = new ArrayList<>(List.of("[SEP]", "<s>", "ing", "In", "[", "世", "a b", "<|eot_id|>", "é", "ng s"));
        List<String> tokens = new ArrayList<>();
        for (int i = random.nextInt(6); i >= 0; i--) {
            String content = all.remove(random.nextInt(all.size()));
            int id = ids.containsKey(content) ? ids.get(content) : next++;
            tokens.add(("{\"id\":%d,\"content\":\"%s\"," + FLAGS).formatted(id, content, random.nextInt(3) == 0,
                    random.nextBoolean(), false, random.nextBoolean(), random.nextBoolean()));
        }
        return tokens;
    }

    private static Map<String, Integer> ids(JsonElement vocabulary) {
        Map<String, Integer> ids = new HashMap<>();
        if (vocabulary.isJsonArray()) {
            vocabulary.getAsJsonArray().forEach(piece -> ids.put(piece.getAsJsonArray().get(0).getAsString(), ids.size()));
        } else {
            vocabulary.getAsJsonObject().entrySet().forEach(entry -> ids.put(entry.getKey(), entry.getValue().getAsInt()));
        }
        return ids;
    }

    /** Byte-pair encoding with random merges, and settings that files seldom have. */
    static String pairs(Random random) {
        boolean bytes = random.nextBoolean();
        String prefix = !bytes && random.nextInt(3) == 0 ? "##" : "";
        String suffix = !bytes && random.nextInt(3) == 0 ? "</w>" : "";
        List<String> tokens = new ArrayList<>();
        tokens.add("<unk>");
        for (String c : "a b c d e i n g s t r l ▁ Ġ ' é 世 1 2".split(" ")) {
            tokens.add(c);
            if (!prefix.isEmpty()) {
                tokens.add(prefix + c);
            }
            if (!suffix.isEmpty()) {
                tokens.add(c + suffix);
                tokens.add(prefix + c + suffix);
            }
        }
        for (int b = 0; bytes && b < 256; b += 1 + random.nextInt(80) / 79) {
            tokens.add("<0x%02X>".formatted(b));
        }
        List<String> unique = new ArrayList<>(new LinkedHashSet<>(tokens));
        List<String> merges = new ArrayList<>();
        for (int i = 0; i < 150; i++) {
            String first = unique.get(1 + random.nextInt(unique.size() - 1));
            String second = unique.get(1 + random.nextInt(unique.size() - 1));
            if (!second.startsWith(prefix) || !suffix.isEmpty() && first.endsWith(suffix) || first.length() > 12) {
                continue;
            }
            String both = first + second.substring(prefix.length());
            merges.add("[\"" + first + "\",\"" + second + "\"]");
            if (!unique.contains(both)) {
                unique.add(both);
            }
        }
        StringBuilder vocabulary = new StringBuilder();
        for (int i = 0; i < unique.size(); i++) {
            vocabulary.append(i == 0 ? "" : ",").append('"').append(unique.get(i)).append("\":").append(i);
        }
        return ("{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":%s,\"continuing_subword_prefix\":%s,\"end_of_word_suffix\":%s,"
                + "\"fuse_unk\":%b,\"byte_fallback\":%b,\"ignore_merges\":%b,\"vocab\":{%s},\"merges\":[%s]}").formatted(
                random.nextInt(4) == 0 ? "null" : "\"<unk>\"", prefix.isEmpty() ? "null" : "\"##\"",
                suffix.isEmpty() ? "null" : "\"</w>\"", random.nextBoolean(), bytes, random.nextBoolean(), vocabulary,
                String.join(",", merges));
    }

    /** Unigram with random scores, ties among them. */
    static String pieces(Random random) {
        List<String> all = new ArrayList<>(List.of("<unk>", "▁", "a", "in", "ing", "n", "g", "▁the", "th", "the", "he", "e",
                "é", "世", "世界", "st", "s", "t", "ll", "ck", "▁a", "ng", "i", "Ġ", "1", "12", "xy", "zz", "Gesell"));
        for (int b = 0; b < 256; b++) {
            if (random.nextInt(60) > 0) {
                all.add("<0x%02X>".formatted(b));
            }
        }
        StringBuilder vocabulary = new StringBuilder();
        for (String piece : all) {
            vocabulary.append(vocabulary.isEmpty() ? "" : ",").append("[\"").append(piece).append("\",")
                    .append(random.nextBoolean() ? -random.nextInt(6) : -9 * random.nextDouble()).append(']');
        }
        return "{\"type\":\"Unigram\",\"unk_id\":%d,\"byte_fallback\":%b,\"vocab\":[%s]}".formatted(random.nextInt(2),
                random.nextBoolean(), vocabulary);
    }
}
