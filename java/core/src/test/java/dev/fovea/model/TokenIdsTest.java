package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.model.sentence.PieceCutter;
import dev.fovea.model.sentence.PoolingMode;
import dev.fovea.model.sentence.SentenceConfig;
import dev.fovea.text.Tokenizer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenIdsTest {
    @ParameterizedTest
    @ValueSource(strings = {"all-minilm-l6-v2", "bge-small-en-v1.5", "e5-small-v2", "bge-small-zh-v1.5"})
    void shouldReadTheTokensThatTheGoldenVectorsWereMadeOf(String name) throws Exception {
        GoldenFile golden = GoldenFile.of(name);
        var directory = ModelCatalog.directory(ModelCatalog.find(name).orElseThrow());
        try (Tokenizer tokenizer = Tokenizer.load(directory.resolve("tokenizer.json"))) {
            var config = SentenceConfig.of(PoolingMode.MEAN, true, golden.maxTokens());
            var cutter = new PieceCutter(tokenizer, config, name);
            for (GoldenFile.Entry entry : golden.entries()) {
                int[] ids = cutter.truncated("", entry.text(), "text").ids();
                assertEquals(entry.tokens(), ids.length, entry.name());
                assertEquals(entry.idsSha256(), sha256(ids), entry.name());
            }
        }
    }

    private static String sha256(int[] ids) throws Exception {
        ByteBuffer bytes = ByteBuffer.allocate(ids.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asIntBuffer().put(ids);
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes.array()));
    }
}
