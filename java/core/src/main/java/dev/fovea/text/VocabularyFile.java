package dev.fovea.text;

import dev.fovea.internal.files.ReadableFile;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A {@code vocab.txt}, one token a line: the whole tokenizer of BERT, Devlin et al., arXiv:1810.04805, in its first
 * form. What the {@code tokenizer.json} of the same tokenizer says beside the vocabulary is made of the settings.
 */
final class VocabularyFile {
    private static final long MAX_BYTES = 1 << 26;

    private final Path file;
    private final TokenizerSettings settings;
    private final Map<String, Integer> ids = new LinkedHashMap<>();

    private VocabularyFile(Path file, TokenizerSettings settings) {
        this.file = file;
        this.settings = settings;
    }

    /** The {@code tokenizer.json} that stands for a vocabulary. */
    static byte[] toTokenizerJson(Path file, TokenizerSettings settings) throws IOException {
        if (!settings.isBertLike()) {
            throw new FormatException(file, -1, "tokenizer", "without a tokenizer.json, this is read for BERT's"
                    + " tokenizers alone, and not for " + settings.kind());
        }
        var vocabulary = new VocabularyFile(file, settings);
        vocabulary.read();
        return vocabulary.model().json().toString().getBytes(StandardCharsets.UTF_8);
    }

    private void read() throws IOException {
        ReadableFile.require(file);
        if (Files.size(file) > MAX_BYTES) {
            throw new FormatException(
                    file, 0, "size", "expected at most " + MAX_BYTES + " bytes, got " + Files.size(file));
        }
        try {
            int line = 0;
            for (String token : Files.readString(file).split("\r\n|\r|\n", -1)) {
                ids.put(token, line++);
            }
            if (ids.getOrDefault("", -1) == line - 1) {
                ids.remove(""); // what follows the last line's end is no line
            }
        } catch (CharacterCodingException e) {
            throw new FormatException(file, -1, "text", "not valid UTF-8", e);
        }
    }

    private WordPiece model() throws FormatException {
        boolean mpnet = settings.isMpnet();
        var special = new WordPiece.Specials(settings.special("unk_token", "[UNK]"),
                settings.special("cls_token", mpnet ? "<s>" : "[CLS]"),
                settings.special("sep_token", mpnet ? "</s>" : "[SEP]"),
                settings.special("pad_token", mpnet ? "<pad>" : "[PAD]"),
                settings.special("mask_token", mpnet ? "<mask>" : "[MASK]"));
        return new WordPiece(file, ids, special, settings.lowerCase(), settings.stripAccents(), settings.chineseChars());
    }
}
