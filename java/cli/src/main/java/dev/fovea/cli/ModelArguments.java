package dev.fovea.cli;

import dev.fovea.model.EncoderOptions;
import dev.fovea.model.WeightType;
import picocli.CommandLine.Option;

/** The options of how an encoder is loaded, with a head or without. */
abstract class ModelArguments extends EngineArguments {
    @Option(
            names = "--weights-file",
            paramLabel = "FILE",
            description = "Which file of the model's directory has the weights, such as onnx/model_quantized.onnx"
                    + " (default: model.safetensors, its shards, model.onnx or onnx/model.onnx, the first that is there,"
                    + " or the only .onnx file).")
    private String weightsFile;

    /** What the model is loaded with. */
    EncoderOptions options() {
        EncoderOptions options = EncoderOptions.defaults().withEngineOptions(engine())
                .withWeights(weights() == null ? WeightType.F32 : weights());
        return weightsFile == null ? options : options.withWeightsFile(weightsFile);
    }
}
