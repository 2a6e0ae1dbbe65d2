package dev.fovea.model.sentence;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.model.TinyModel;
import dev.fovea.model.family.Description;
import dev.fovea.model.family.Description.Attention;
import dev.fovea.model.family.Description.FeedForward;
import dev.fovea.ops.Activation;
import dev.fovea.ops.Pooling;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SentenceConfigTest {
    private static final Description BERT = Description.of(
            50, 33, 2, 20, Attention.of(3, 11), new FeedForward(71, Activation.GELU_ERF, false, true));

    @TempDir
    private Path directory;

    @Test
    void shouldPoolByTheMeanWhenThereAreNoFiles() throws Exception {
        assertEquals(new SentenceConfig(Pooling.MEAN, false, 20, false), SentenceConfig.read(directory, BERT, 2));
    }

    @Test
    void shouldReadTheFilesOfSentenceTransformers() throws Exception {
        TinyModel.writeSentenceFiles(directory, "pooling_mode_cls_token", true, 12);
        assertEquals(new SentenceConfig(Pooling.CLS, true, 12, false), SentenceConfig.read(directory, BERT, 2));
        write("sentence_bert_config.json", "{\"max_seq_length\": null, \"do_lower_case\": true}");
        assertEquals(new SentenceConfig(Pooling.CLS, true, 20, true), SentenceConfig.read(directory, BERT, 2));
    }

    @ParameterizedTest
    @CsvSource({"mean, MEAN", "cls, CLS", "lasttoken, LAST"})
    void shouldReadThePoolingModeByItsName(String mode, Pooling pooling) throws Exception {
        TinyModel.writeSentenceFiles(directory, "pooling_mode_cls_token", false, 12);
        write("1_Pooling/config.json", "{\"pooling_mode\": \"" + mode + "\"}");
        assertEquals(pooling, SentenceConfig.read(directory, BERT, 2).pooling());
    }

    @ParameterizedTest
    @CsvSource({"12, 12", "600, 20", "1e30, 20"})
    void shouldTakeTheTokenizersLimitWhenThereIsNoOther(String limit, int expected) throws Exception {
        write("tokenizer_config.json", "{\"model_max_length\": " + limit + "}");
        assertEquals(expected, SentenceConfig.read(directory, BERT, 2).maxTokens());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "sentence_bert_config.json | {\"max_seq_length\": 21} | at most the 20 positions of config.json, got 21",
        "sentence_bert_config.json | {\"max_seq_length\": 0} | got 0",
        "sentence_bert_config.json | {\"max_seq_length\": 2} | max_seq_length: expected more than the 2 special",
        "sentence_bert_config.json | {\"max_seq_length\": \"x\"} | got \"x\"",
        "modules.json | {} | array",
        "modules.json | [] | got []",
        "modules.json | [7] | got 7",
        "modules.json | [{\"path\": \"\"}] | type",
        "modules.json | [{\"type\": \"a.Transformer\"}, {\"type\": \"a.Pooling\"}, {\"type\": \"a.Dense\"}] | Dense",
        "modules.json | [{\"type\": \"a.Transformer\"}, {\"type\": \"a.Pooling\", \"path\": \"../..\"}] | ../..",
        "1_Pooling/config.json | {\"pooling_mode\": \"max\"} | got \"max\"",
        "1_Pooling/config.json | {\"pooling_mode_max_tokens\": true} | pooling_mode_max_tokens",
        "1_Pooling/config.json | {\"pooling_mode_cls_token\": false} | got []",
        "1_Pooling/config.json | {\"pooling_mode_cls_token\": true, \"pooling_mode_mean_tokens\": true} | [MEAN, CLS]",
        "1_Pooling/config.json | {\"word_embedding_dimension\": 384} | the hidden_size 33 of config.json, got 384"
    })
    void shouldNameFileAndValueWhenOneIsWrong(String file, String content, String shown) throws Exception {
        TinyModel.writeSentenceFiles(directory, "pooling_mode_cls_token", true, 12);
        write(file, content);
        FormatException e = assertThrows(FormatException.class, () -> SentenceConfig.read(directory, BERT, 2));
        assertEquals(directory.resolve(file), e.file());
        assertTrue(e.getMessage().contains(shown), e.getMessage());
    }

    @Test
    void shouldNameTheOtherFilesWhoseLimitLeavesNoRoom() throws Exception {
        write("tokenizer_config.json", "{\"model_max_length\": 1}");
        var e = assertThrows(FormatException.class, () -> SentenceConfig.read(directory, BERT, 2));
        assertEquals(directory.resolve("tokenizer_config.json"), e.file());
        assertEquals("model_max_length", e.field());
        e = assertThrows(FormatException.class, () -> SentenceConfig.read(directory, BERT, 20));
        assertEquals(directory.resolve("config.json"), e.file());
        assertEquals("max_position_embeddings", e.field());
        assertTrue(e.problem().contains("20 special tokens, got 20 positions"), e.problem());
    }

    @Test
    void shouldNameThePoolingConfigThatIsMissing() throws Exception {
        TinyModel.writeSentenceFiles(directory, "pooling_mode_cls_token", true, 12);
        Files.delete(directory.resolve("1_Pooling/config.json"));
        var e = assertThrows(NoSuchFileException.class, () -> SentenceConfig.read(directory, BERT, 2));
        assertEquals("no 1_Pooling/config.json, which modules.json names", e.getReason());
    }

    private void write(String file, String content) throws IOException {
        Files.writeString(directory.resolve(file), content);
    }
}
