package dev.fovea.spark;

import dev.fovea.model.LengthPolicy;
import dev.fovea.model.WeightType;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.ml.Transformer;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * Reads columns of texts and appends one that a model computes of them. Each executor loads the model once; its tasks share
 * it, and each computes on its own thread. A row has the same result alone and in any partition.
 *
 * @param <T> the class itself
 */
public abstract sealed class TextTransformer<T extends TextTransformer<T>> extends Transformer implements DefaultParamsWritable
        permits FoveaEmbedder, FoveaReranker, FoveaClassifier {
    private static final long serialVersionUID = 1;

    private final String uid;
    private final Param<String> model;
    private final Param<String> outputCol;
    private final Param<String> weights;
    private final Param<String> lengthPolicy;

    TextTransformer(String uid, String output) {
        this.uid = uid;
        model = new Param<>(this, "model", "a model's name, the path of its directory on each node, or what SparkModels.ship gave");
        outputCol = new Param<>(this, "outputCol", "the column that is appended");
        weights = new Param<>(this, "weights", "what weights are kept as: " + names(WeightType.values()));
        lengthPolicy = new Param<>(this, "lengthPolicy", "what is done with texts that are too long: " + names(LengthPolicy.values()));
        setDefault(outputCol, output);
        setDefault(weights, WeightType.F32.name());
        setDefault(lengthPolicy, LengthPolicy.TRUNCATE.name());
    }

    static String newUid(String prefix) {
        return prefix + "_" + UUID.randomUUID().toString().substring(24);
    }

    private static String names(Enum<?>[] values) {
        return String.join(", ", Stream.of(values).map(Enum::name).toList());
    }

    /** The columns that are read, as parameters. */
    abstract List<Param<String>> inputs();

    /** The appended column's type. */
    abstract DataType outputType();

    /** What computes the rows of a partition, where the partition is. */
    abstract MapPartitionsFunction<Row, Row> function(ModelSettings settings, int[] columns);

    /** The settings of a model that has these and no others. */
    ModelSettings settings() {
        return new ModelSettings(required(model), WeightType.valueOf(required(weights)),
                LengthPolicy.valueOf(required(lengthPolicy)), null, 0, 1);
    }

    final String required(Param<String> parameter) {
        return get(parameter).getOrElse(() -> getDefault(parameter).getOrElse(() -> {
            throw new IllegalArgumentException(uid + " has no " + parameter.name() + ": " + parameter.doc());
        }));
    }

    @SuppressWarnings("unchecked")
    final <V> T with(Param<V> parameter, V value) {
        set(parameter, value);
        return (T) this;
    }

    @SuppressWarnings("unchecked")
    final T with(IntParam parameter, int value) {
        set(parameter, value);
        return (T) this;
    }

    /** The model: a name, the path of its directory, the same on each node, or what {@link SparkModels#ship} gave. */
    public T setModel(String nameOrPath) {
        return with(model, nameOrPath);
    }

    /** The column that is appended. */
    public T setOutputCol(String column) {
        return with(outputCol, column);
    }

    /**
     * What the model's weights are kept as in memory.
     *
     * @throws IllegalArgumentException if no {@link WeightType} has the name
     */
    public T setWeights(String type) {
        return with(weights, WeightType.valueOf(type.toUpperCase(Locale.ROOT)).name());
    }

    /**
     * What is done with texts that have too many tokens.
     *
     * @throws IllegalArgumentException if no {@link LengthPolicy} has the name
     */
    public T setLengthPolicy(String policy) {
        return with(lengthPolicy, LengthPolicy.valueOf(policy.toUpperCase(Locale.ROOT)).name());
    }

    /** See {@link #setModel}. */
    public Param<String> model() {
        return model;
    }

    /** See {@link #setOutputCol}. */
    public Param<String> outputCol() {
        return outputCol;
    }

    /** See {@link #setWeights}. */
    public Param<String> weights() {
        return weights;
    }

    /** See {@link #setLengthPolicy}. */
    public Param<String> lengthPolicy() {
        return lengthPolicy;
    }

    @Override
    public String uid() {
        return uid;
    }

    @Override
    public Dataset<Row> transform(Dataset<?> dataset) {
        StructType schema = transformSchema(dataset.schema());
        int[] columns = inputs().stream().mapToInt(input -> schema.fieldIndex(required(input))).toArray();
        return dataset.toDF().mapPartitions(function(settings(), columns), Encoders.row(schema));
    }

    /** @throws IllegalArgumentException if a column that is read is missing or no text, or the one to append is there already */
    @Override
    public StructType transformSchema(StructType schema) {
        for (Param<String> input : inputs()) {
            String column = required(input);
            if (!Arrays.asList(schema.fieldNames()).contains(column)) {
                throw new IllegalArgumentException(uid + " reads the column " + column + ", but there are "
                        + String.join(", ", schema.fieldNames()));
            }
            StructField field = schema.apply(column);
            if (!field.dataType().equals(DataTypes.StringType)) {
                throw new IllegalArgumentException(uid + " reads texts, but the column " + column + " has "
                        + field.dataType().simpleString());
            }
        }
        String output = required(outputCol);
        if (Arrays.asList(schema.fieldNames()).contains(output)) {
            throw new IllegalArgumentException(uid + " appends a column " + output + ", which is there already");
        }
        return schema.add(output, outputType(), true);
    }

    @Override
    public Transformer copy(ParamMap extra) {
        return defaultCopy(extra);
    }
}
