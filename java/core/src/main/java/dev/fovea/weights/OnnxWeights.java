package dev.fovea.weights;

import dev.fovea.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;

/** The initializers of an ONNX model, under Hugging Face names. */
public final class OnnxWeights implements Weights {
    private OnnxWeights() {}

    /** Opens an ONNX file. */
    public static OnnxWeights open(Path file) throws IOException {
        throw new UnsupportedOperationException();
    }

    @Override
    public Path file() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Set<String> names() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Tensor get(String name) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
}
