package dev.fovea.spark;

import dev.fovea.model.TextEncoder;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.expressions.UserDefinedFunction;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;

/**
 * Texts to vectors: appends {@code array<float>}, the vector that {@link TextEncoder#encode} gives, to the bit. A null text
 * has none.
 *
 * <pre>{@code
 * var embedder = new FoveaEmbedder().setModel("all-minilm-l6-v2").setInputCol("text").setOutputCol("vector");
 * Dataset<Row> vectors = embedder.transform(passages);
 * }</pre>
 */
public final class FoveaEmbedder extends TextTransformer<FoveaEmbedder> {
    private static final long serialVersionUID = 1;

    private final Param<String> inputCol;
    private final Param<String> prompt;
    private final IntParam dimensions;

    /** With a name of its own in pipelines. */
    public FoveaEmbedder() {
        this(newUid("foveaEmbedder"));
    }

    /** @param uid its name in pipelines */
    public FoveaEmbedder(String uid) {
        super(uid, "vector");
        inputCol = new Param<>(this, "inputCol", "the column of texts");
        prompt = new Param<>(this, "prompt", "one of the model's prompts, or a text: \"query: \"");
        dimensions = new IntParam(this, "dimensions", "the first of a vector's components, normalised again; 0 for all");
        setDefault(inputCol, "text");
        setDefault(dimensions, 0);
    }

    /** Reads what {@code save} wrote. */
    public static FoveaEmbedder load(String path) {
        return read().load(path);
    }

    /** How Spark reads pipelines that have one. */
    public static MLReader<FoveaEmbedder> read() {
        return new DefaultParamsReader<>();
    }

    /** The column of texts. */
    public FoveaEmbedder setInputCol(String column) {
        return with(inputCol, column);
    }

    /** One of the model's prompts, or a text, before each text. */
    public FoveaEmbedder setPrompt(String nameOrText) {
        return with(prompt, nameOrText);
    }

    /** Matryoshka: how many of the vector's first components are kept, normalised again; 0 for all. */
    public FoveaEmbedder setDimensions(int count) {
        return with(dimensions, count);
    }

    /** See {@link #setInputCol}. */
    public Param<String> inputCol() {
        return inputCol;
    }

    /** See {@link #setPrompt}. */
    public Param<String> prompt() {
        return prompt;
    }

    /** See {@link #setDimensions}. */
    public IntParam dimensions() {
        return dimensions;
    }

    /**
     * As a function of one column, which SQL can use once {@code spark.udf().register(name, embedder.function())} has named
     * it. It computes row after row; {@link #transform} is faster on short texts.
     */
    public UserDefinedFunction function() {
        ModelSettings settings = settings();
        return functions.udf((UDF1<String, float[]>) text -> text == null ? null : encoder(settings).encode(text), outputType());
    }

    @Override
    ModelSettings settings() {
        ModelSettings common = super.settings();
        return new ModelSettings(common.model(), common.weights(), common.lengthPolicy(),
                get(prompt).isDefined() ? required(prompt) : null, (int) getOrDefault(dimensions), 1);
    }

    @Override
    List<Param<String>> inputs() {
        return List.of(inputCol);
    }

    @Override
    DataType outputType() {
        return DataTypes.createArrayType(DataTypes.FloatType, false);
    }

    @Override
    MapPartitionsFunction<Row, Row> function(ModelSettings settings, int[] columns) {
        return rows -> new Windows(rows, columns, texts -> Arrays.asList(encoder(settings).encodeAll(texts.getFirst())));
    }

    private static TextEncoder encoder(ModelSettings settings) {
        return SharedModels.get(TextEncoder.class, settings.here(), FoveaEmbedder::load);
    }

    private static TextEncoder load(ModelSettings settings) throws IOException {
        return TextEncoder.load(settings.place(), settings.options());
    }
}
