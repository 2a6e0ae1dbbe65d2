package dev.fovea.bench.golden;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.google.gson.Gson;
import java.io.BufferedWriter;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;

/**
 * Makes the golden vectors that the core's tests compare with, by ONNX Runtime. From the top of the repository:
 *
 * <pre>{@code
 * mvn -Pgolden -pl bench -am package -DskipTests
 * }</pre>
 *
 * <p>It reads {@code texts.jsonl} and writes {@code <model>.jsonl} beside it. The first line says what made the file;
 * each line after it has a text's name, its number of tokens, whether tokens were dropped, the SHA-256 of the token
 * ids (each as a little-endian int) and the vector (base64 of little-endian floats).
 *
 * <p>Nothing of Fovea runs here: the text goes through the model's own tokenizer with neither truncation nor padding,
 * is cut to the model's limit with the last special token kept, and the last hidden state is pooled in double.
 */
public final class GoldenGenerator {
    private static final Gson GSON = new Gson();

    private GoldenGenerator() {}

    /** The argument is the folder of {@code texts.jsonl}. */
    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        for (GoldenModel model : GoldenModel.ALL) {
            write(model, folder);
        }
    }

    private static void write(GoldenModel model, Path folder) throws IOException, OrtException {
        byte[] onnx = resource(model.name() + ".onnx");
        byte[] tokenizerJson = resource(model.name() + "-tokenizer.json");
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (var options = new OrtSession.SessionOptions();
                OrtSession session = environment.createSession(onnx, options);
                HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.newInstance(
                        new ByteArrayInputStream(tokenizerJson), Map.of("truncation", "false", "padding", "false"));
                BufferedWriter out = Files.newBufferedWriter(folder.resolve(model.name() + ".jsonl"))) {
            Map<String, Object> header = new LinkedHashMap<>();
            header.put("model", model.name());
            header.put("maxTokens", model.maxTokens());
            header.put("pooling", model.pooling());
            header.put("onnxSha256", HexFormat.of().formatHex(sha256(onnx)));
            header.put("tokenizerSha256", HexFormat.of().formatHex(sha256(tokenizerJson)));
            header.put("onnxruntime", environment.getVersion());
            header.put("tokenizers", tokenizersVersion());
            out.write(GSON.toJson(header));
            out.write('\n');
            for (GoldenText text : GoldenText.read(folder.resolve("texts.jsonl"))) {
                out.write(GSON.toJson(line(model, text, tokenizer, environment, session)));
                out.write('\n');
            }
        }
    }

    private static Map<String, Object> line(GoldenModel model, GoldenText text, HuggingFaceTokenizer tokenizer,
            OrtEnvironment environment, OrtSession session) throws OrtException {
        long[] all = tokenizer.encode(text.whole()).getIds();
        long[] ids = all;
        if (all.length > model.maxTokens()) {
            ids = Arrays.copyOf(all, model.maxTokens());
            ids[ids.length - 1] = all[all.length - 1];
        }
        double[] vector = model.pool(lastHiddenState(ids, environment, session));
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("name", text.name());
        line.put("tokens", ids.length);
        line.put("truncated", all.length > ids.length);
        line.put("idsSha256", HexFormat.of().formatHex(sha256(littleEndian(ids))));
        line.put("vector", Base64.getEncoder().encodeToString(littleEndian(vector)));
        return line;
    }

    /** [tokens][width] of one sequence. */
    private static float[][] lastHiddenState(long[] ids, OrtEnvironment environment, OrtSession session)
            throws OrtException {
        long[] ones = new long[ids.length];
        Arrays.fill(ones, 1);
        try (OnnxTensor tokens = OnnxTensor.createTensor(environment, new long[][] {ids});
                OnnxTensor mask = OnnxTensor.createTensor(environment, new long[][] {ones});
                OnnxTensor types = OnnxTensor.createTensor(environment, new long[][] {new long[ids.length]});
                OrtSession.Result result = session.run(
                        Map.of("input_ids", tokens, "attention_mask", mask, "token_type_ids", types))) {
            return ((float[][][]) result.get(0).getValue())[0];
        }
    }

    private static byte[] littleEndian(long[] ids) {
        ByteBuffer bytes = ByteBuffer.allocate(ids.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (long id : ids) {
            bytes.putInt(Math.toIntExact(id));
        }
        return bytes.array();
    }

    private static byte[] littleEndian(double[] vector) {
        ByteBuffer bytes = ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (double component : vector) {
            bytes.putFloat((float) component);
        }
        return bytes.array();
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** Of the tokenizers library and its binding, such as {@code 0.21.0-0.38.0}. */
    private static String tokenizersVersion() throws IOException {
        Properties properties = new Properties();
        properties.load(new ByteArrayInputStream(resource("native/lib/tokenizers.properties")));
        return properties.getProperty("version");
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = GoldenGenerator.class.getClassLoader().getResourceAsStream(name)) {
            if (in == null) {
                throw new IOException("no " + name + " on the class path");
            }
            return in.readAllBytes();
        }
    }
}
