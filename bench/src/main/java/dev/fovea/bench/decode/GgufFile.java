package dev.fovea.bench.decode;

import dev.fovea.bench.decode.DecoderShape.Matrix;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Writes a GGUF file of a shape, with random weights and a random vocabulary. */
final class GgufFile {
    private static final int ALIGNMENT = 32;
    private static final int BUFFER_BYTES = 1 << 20;

    private final DecoderShape shape;
    private final FileType type;
    private final SplittableRandom random = new SplittableRandom(1);
    private final Bytes head = new Bytes();

    private GgufFile(DecoderShape shape, FileType type) {
        this.shape = shape;
        this.type = type;
    }

    /** The file of a shape in a directory, written if it is not there. */
    static Path of(Path directory, DecoderShape shape, FileType type) throws IOException {
        Path file = directory.resolve(shape.name() + "-" + type + "-1.gguf");
        if (!Files.exists(file)) {
            Files.createDirectories(directory);
            Path partial = Files.createTempFile(directory, "partial", ".gguf");
            try {
                new GgufFile(shape, type).write(partial);
                Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(partial);
            }
        }
        return file;
    }

    private void write(Path file) throws IOException {
        Map<Matrix, Integer> tensors = shape.tensors();
        Map<String, Object> metadata = metadata();
        head.bytes("GGUF".getBytes(StandardCharsets.US_ASCII)).u32(3).u64(tensors.size()).u64(metadata.size());
        metadata.forEach(head::pair);
        long offset = 0;
        for (Map.Entry<Matrix, Integer> tensor : tensors.entrySet()) {
            Matrix matrix = tensor.getKey();
            BlockType block = type.of(matrix, tensor.getValue(), shape.layers());
            head.text(matrix.name()).u32(matrix.isVector() ? 1 : 2).u64(matrix.columns());
            if (!matrix.isVector()) {
                head.u64(matrix.rows());
            }
            head.u32(block.code).u64(offset);
            offset = aligned(offset + block.bytes((long) matrix.rows() * matrix.columns()));
        }
        head.bytes(new byte[(int) (aligned(head.size()) - head.size())]);
        try (FileChannel out = FileChannel.open(file, StandardOpenOption.WRITE)) {
            writeAll(out, ByteBuffer.wrap(head.toByteArray()));
            for (Map.Entry<Matrix, Integer> tensor : tensors.entrySet()) {
                write(out, tensor.getKey(), type.of(tensor.getKey(), tensor.getValue(), shape.layers()));
            }
        }
    }

    private static long aligned(long size) {
        return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    private static void writeAll(FileChannel out, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            out.write(bytes);
        }
    }

    private void write(FileChannel out, Matrix matrix, BlockType block) throws IOException {
        long rest = block.bytes((long) matrix.rows() * matrix.columns());
        long padding = aligned(rest) - rest;
        ByteBuffer buffer = ByteBuffer.allocateDirect((int) Math.min(rest, wholeBlocks(block))).order(ByteOrder.LITTLE_ENDIAN);
        while (rest > 0) {
            buffer.clear().limit((int) Math.min(rest, buffer.capacity()));
            rest -= buffer.limit();
            if (matrix.isVector()) {
                while (buffer.hasRemaining()) {
                    buffer.putFloat(0.95f + 0.1f * (float) random.nextDouble());
                }
            } else {
                block.fill(buffer, random);
            }
            writeAll(out, buffer.flip());
        }
        writeAll(out, ByteBuffer.allocate((int) padding));
    }

    private static int wholeBlocks(BlockType block) {
        int bytes = (int) block.bytes(256);
        return BUFFER_BYTES / bytes * bytes;
    }

    private Map<String, Object> metadata() {
        String prefix = shape.architecture() + ".";
        Map<String, Object> metadata = new LinkedHashMap<>();
        metadata.put("general.architecture", shape.architecture());
        metadata.put(prefix + "context_length", 32768);
        metadata.put(prefix + "embedding_length", shape.width());
        metadata.put(prefix + "block_count", shape.layers());
        metadata.put(prefix + "feed_forward_length", shape.hidden());
        metadata.put(prefix + "attention.head_count", shape.heads());
        metadata.put(prefix + "attention.head_count_kv", shape.kvHeads());
        metadata.put(prefix + "attention.key_length", shape.headDim());
        metadata.put(prefix + "attention.value_length", shape.headDim());
        metadata.put(prefix + "attention.layer_norm_rms_epsilon", shape.epsilon());
        metadata.put(prefix + "rope.dimension_count", shape.headDim());
        metadata.put(prefix + "rope.freq_base", shape.ropeBase());
        metadata.put(prefix + "vocab_size", shape.vocabulary());
        RandomVocabulary vocabulary = new RandomVocabulary(shape.vocabulary(), random);
        metadata.put("tokenizer.ggml.model", "gpt2");
        metadata.put("tokenizer.ggml.pre", shape.architecture().equals("llama") ? "llama-bpe" : "qwen2");
        metadata.put("tokenizer.ggml.tokens", vocabulary.texts());
        metadata.put("tokenizer.ggml.token_type", vocabulary.types());
        metadata.put("tokenizer.ggml.merges", vocabulary.merges());
        metadata.put("tokenizer.ggml.bos_token_id", vocabulary.end());
        metadata.put("tokenizer.ggml.eos_token_id", vocabulary.end());
        return metadata;
    }

    /** Little-endian values, as GGUF has them. */
    private static final class Bytes {
        private static final int U32 = 4;
        private static final int I32 = 5;
        private static final int F32 = 6;
        private static final int STRING = 8;
        private static final int ARRAY = 9;

        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Bytes bytes(byte[] bytes) {
            try {
                out.write(bytes);
                return this;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        Bytes u32(int value) {
            return bytes(ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
        }

        Bytes u64(long value) {
            return bytes(ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
        }

        Bytes text(String text) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            return u64(bytes.length).bytes(bytes);
        }

        void pair(String key, Object value) {
            text(key);
            switch (value) {
                case Integer number -> u32(U32).u32(number);
                case Float number -> u32(F32).u32(Float.floatToRawIntBits(number));
                case String text -> u32(STRING).text(text);
                case int[] numbers -> {
                    u32(ARRAY).u32(I32).u64(numbers.length);
                    for (int number : numbers) {
                        u32(number);
                    }
                }
                case List<?> texts -> {
                    u32(ARRAY).u32(STRING).u64(texts.size());
                    texts.forEach(text -> text((String) text));
                }
                default -> throw new IllegalArgumentException("no metadata of " + value.getClass());
            }
        }

        long size() {
            return out.size();
        }

        byte[] toByteArray() {
            return out.toByteArray();
        }
    }
}
