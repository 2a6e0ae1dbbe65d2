package dev.fovea.text;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.fovea.internal.text.AddedToken;
import dev.fovea.internal.text.BertNormalizer;
import dev.fovea.internal.text.ByteLevel;
import dev.fovea.internal.text.CharsmapNormalizer;
import dev.fovea.internal.text.Metaspace;
import dev.fovea.internal.text.Model;
import dev.fovea.internal.text.Normalizer;
import dev.fovea.internal.text.PreTokenizer;
import dev.fovea.internal.text.SplitBehavior;
import dev.fovea.internal.text.TokenPipeline;
import dev.fovea.weights.FormatException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;

/** Makes the parts of a tokenizer of what {@link TextPipeline} has checked. */
final class PipelineReader {
    private final Path file;

    PipelineReader(Path file) {
        this.file = file;
    }

    /** Takes {@code null} of JSON where there is no normalizer, or pre-tokenizer. */
    TokenPipeline pipeline(JsonElement normalizer, JsonElement preTokenizer, Model model, List<AddedToken> tokens)
            throws FormatException {
        Normalizer first = normalizer.isJsonNull() ? null : normalizer(JsonFields.of(file, "normalizer", normalizer));
        PreTokenizer second = preTokenizer.isJsonNull() ? null
                : preTokenizer(JsonFields.of(file, "pre_tokenizer", preTokenizer));
        try {
            return new TokenPipeline(first, second, model, tokens);
        } catch (IllegalArgumentException e) {
            // A pattern runs away on a token that is normalized, or it becomes too long.
            throw new FormatException(file, -1, "added_tokens", e.getMessage());
        }
    }

    private Normalizer normalizer(JsonFields json) throws FormatException {
        return switch (json.string("type")) {
            case "BertNormalizer" -> new BertNormalizer(json.flag("clean_text"), json.flag("handle_chinese_chars"),
                    json.flag(json.has("strip_accents") ? "strip_accents" : "lowercase"), json.flag("lowercase"));
            case "ByteLevel" -> new Normalizer.Bytes();
            case "Lowercase" -> new Normalizer.Lowercase();
            case "NFC" -> new Normalizer.Form(false, true);
            case "NFD" -> new Normalizer.Form(false, false);
            case "NFKC" -> new Normalizer.Form(true, true);
            case "NFKD" -> new Normalizer.Form(true, false);
            case "Nmt" -> new Normalizer.Nmt();
            case "Precompiled" -> new CharsmapNormalizer(
                    Base64.getDecoder().decode(json.string("precompiled_charsmap")));
            case "Prepend" -> new Normalizer.Prepend(json.string("prepend"));
            case "Replace" -> replace(json);
            case "Strip" -> new Normalizer.Strip(json.flag("strip_left"), json.flag("strip_right"));
            case "StripAccents" -> new Normalizer.StripAccents();
            default -> {
                List<Normalizer> all = new ArrayList<>();
                for (JsonFields one : json.objects("normalizers")) {
                    all.add(normalizer(one));
                }
                yield new Normalizer.Sequence(List.copyOf(all));
            }
        };
    }

    private static Normalizer replace(JsonFields json) throws FormatException {
        JsonObject pattern = json.object("pattern").json();
        boolean isRegex = pattern.has("Regex");
        try {
            return new Normalizer.Replace(text(pattern, isRegex), isRegex, json.string("content"));
        } catch (IllegalArgumentException e) {
            throw json.error("pattern", e.getMessage());
        }
    }

    private static String text(JsonObject pattern, boolean isRegex) {
        return pattern.get(isRegex ? "Regex" : "String").getAsString();
    }

    private PreTokenizer preTokenizer(JsonFields json) throws FormatException {
        return switch (json.string("type")) {
            case "BertPreTokenizer" -> new PreTokenizer.Bert();
            case "ByteLevel" -> new ByteLevel(json.flag("add_prefix_space"),
                    !json.has("use_regex") || json.flag("use_regex"));
            case "CharDelimiterSplit" -> new PreTokenizer.Delimiter(json.string("delimiter").codePointAt(0));
            case "Digits" -> new PreTokenizer.Digits(json.flag("individual_digits"));
            case "Metaspace" -> metaspace(json);
            case "Punctuation" -> new PreTokenizer.Punctuation(
                    json.has("behavior") ? behavior(json) : SplitBehavior.ISOLATED);
            case "Split" -> split(json);
            case "Whitespace" -> new PreTokenizer.Whitespace();
            case "WhitespaceSplit" -> new PreTokenizer.WhitespaceSplit();
            case "Sequence" -> {
                List<PreTokenizer> all = new ArrayList<>();
                for (JsonFields one : json.objects("pretokenizers")) {
                    all.add(preTokenizer(one));
                }
                yield new PreTokenizer.Sequence(List.copyOf(all));
            }
            default -> throw json.error("type", "'" + json.string("type") + "' is supported by the library alone; choose"
                    + " that with -D" + Tokenizer.LIBRARY_PROPERTY + "=library");
        };
    }

    private static Metaspace metaspace(JsonFields json) throws FormatException {
        Metaspace.Scheme scheme = json.has("prepend_scheme")
                ? Metaspace.Scheme.valueOf(json.string("prepend_scheme").toUpperCase(Locale.ROOT)) : Metaspace.Scheme.ALWAYS;
        if (json.has("add_prefix_space") && !json.flag("add_prefix_space") && scheme != Metaspace.Scheme.NEVER) {
            throw json.error("add_prefix_space", "expected true, or the prepend_scheme never");
        }
        return new Metaspace(json.string("replacement").codePointAt(0), scheme, !json.has("split") || json.flag("split"));
    }

    private static PreTokenizer split(JsonFields json) throws FormatException {
        JsonObject pattern = json.object("pattern").json();
        boolean isRegex = pattern.has("Regex");
        try {
            return new PreTokenizer.Split(text(pattern, isRegex), isRegex, behavior(json), json.flag("invert"));
        } catch (IllegalArgumentException e) {
            throw json.error("pattern", e.getMessage());
        }
    }

    private static SplitBehavior behavior(JsonFields json) throws FormatException {
        return switch (json.string("behavior")) {
            case "Removed" -> SplitBehavior.REMOVED;
            case "Isolated" -> SplitBehavior.ISOLATED;
            case "MergedWithPrevious" -> SplitBehavior.MERGED_WITH_PREVIOUS;
            case "MergedWithNext" -> SplitBehavior.MERGED_WITH_NEXT;
            default -> SplitBehavior.CONTIGUOUS;
        };
    }
}
