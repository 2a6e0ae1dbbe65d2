package dev.fovea.spark;

import dev.fovea.model.TextClassifier;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.expressions.UserDefinedFunction;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Texts to labels: appends {@code array<struct<label: string, score: float>>}, all of the model's labels, best first, as
 * {@link TextClassifier#classify(String)} gives them. {@code labels[0].label} is the best.
 */
public final class FoveaClassifier extends TextTransformer<FoveaClassifier> {
    private static final long serialVersionUID = 1;

    private final Param<String> inputCol;

    /** With a name of its own in pipelines. */
    public FoveaClassifier() {
        this(newUid("foveaClassifier"));
    }

    /** @param uid its name in pipelines */
    public FoveaClassifier(String uid) {
        super(uid, "labels");
        inputCol = new Param<>(this, "inputCol", "the column of texts");
        setDefault(inputCol, "text");
    }

    /** Reads what {@code save} wrote. */
    public static FoveaClassifier load(String path) {
        return read().load(path);
    }

    /** How Spark reads pipelines that have one. */
    public static MLReader<FoveaClassifier> read() {
        return new DefaultParamsReader<>();
    }

    /** The column of texts. */
    public FoveaClassifier setInputCol(String column) {
        return with(inputCol, column);
    }

    /** See {@link #setInputCol}. */
    public Param<String> inputCol() {
        return inputCol;
    }

    /** As a function of one column, which SQL can use; see {@link FoveaEmbedder#function}. */
    public UserDefinedFunction function() {
        ModelSettings settings = settings();
        return functions.udf((UDF1<String, List<Row>>) text ->
                text == null ? null : rows(classifier(settings).classify(text)), outputType());
    }

    @Override
    List<Param<String>> inputs() {
        return List.of(inputCol);
    }

    @Override
    DataType outputType() {
        return DataTypes.createArrayType(new StructType().add("label", DataTypes.StringType, false)
                .add("score", DataTypes.FloatType, false), false);
    }

    @Override
    MapPartitionsFunction<Row, Row> function(ModelSettings settings, int[] columns) {
        return rows -> new Windows(rows, columns, texts -> classifier(settings).classifyAll(texts.getFirst()).stream()
                .map(labels -> rows(labels).toArray()).toList());
    }

    private static List<Row> rows(List<TextClassifier.Label> labels) {
        return labels.stream().map(label -> RowFactory.create(label.name(), label.score())).toList();
    }

    private static TextClassifier classifier(ModelSettings settings) {
        return SharedModels.get(TextClassifier.class, settings.here(), FoveaClassifier::load);
    }

    private static TextClassifier load(ModelSettings settings) throws IOException {
        return TextClassifier.load(Path.of(settings.place()), settings.options());
    }
}
