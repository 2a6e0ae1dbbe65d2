/** Transformer inference inside the JVM. */
module dev.fovea {
    requires static ai.djl.tokenizers;
    requires static jinjava;
    requires static jdk.jfr;
    requires com.google.gson;

    exports dev.fovea;
    exports dev.fovea.attention;
    exports dev.fovea.graph;
    exports dev.fovea.model;
    exports dev.fovea.ops;
    exports dev.fovea.tensor;
    exports dev.fovea.text;
    exports dev.fovea.vectors;
    exports dev.fovea.weights;
}
