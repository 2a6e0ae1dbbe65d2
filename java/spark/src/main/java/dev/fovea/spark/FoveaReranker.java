package dev.fovea.spark;

import dev.fovea.model.Reranker;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF2;
import org.apache.spark.sql.expressions.UserDefinedFunction;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;

/**
 * Queries and texts to scores: appends {@code float}, how well the text answers the query, as {@link Reranker#score} gives
 * it. Rows of one query are read together, so those of one query should stand beside each other.
 */
public final class FoveaReranker extends TextTransformer<FoveaReranker> {
    private static final long serialVersionUID = 1;

    private final Param<String> queryCol;
    private final Param<String> inputCol;

    /** With a name of its own in pipelines. */
    public FoveaReranker() {
        this(newUid("foveaReranker"));
    }

    /** @param uid its name in pipelines */
    public FoveaReranker(String uid) {
        super(uid, "score");
        queryCol = new Param<>(this, "queryCol", "the column of queries");
        inputCol = new Param<>(this, "inputCol", "the column of texts");
        setDefault(queryCol, "query");
        setDefault(inputCol, "text");
    }

    /** Reads what {@code save} wrote. */
    public static FoveaReranker load(String path) {
        return read().load(path);
    }

    /** How Spark reads pipelines that have one. */
    public static MLReader<FoveaReranker> read() {
        return new DefaultParamsReader<>();
    }

    /** The column of queries. */
    public FoveaReranker setQueryCol(String column) {
        return with(queryCol, column);
    }

    /** The column of texts. */
    public FoveaReranker setInputCol(String column) {
        return with(inputCol, column);
    }

    /** See {@link #setQueryCol}. */
    public Param<String> queryCol() {
        return queryCol;
    }

    /** See {@link #setInputCol}. */
    public Param<String> inputCol() {
        return inputCol;
    }

    /** As a function of two columns, query and text, which SQL can use; see {@link FoveaEmbedder#function}. */
    public UserDefinedFunction function() {
        ModelSettings settings = settings();
        return functions.udf((UDF2<String, String, Float>) (query, text) ->
                query == null || text == null ? null : reranker(settings).score(query, text), outputType());
    }

    @Override
    List<Param<String>> inputs() {
        return List.of(queryCol, inputCol);
    }

    @Override
    DataType outputType() {
        return DataTypes.FloatType;
    }

    @Override
    MapPartitionsFunction<Row, Row> function(ModelSettings settings, int[] columns) {
        return rows -> new Windows(rows, columns, texts -> scores(reranker(settings), texts.get(0), texts.get(1)));
    }

    private static List<Float> scores(Reranker reranker, List<String> queries, List<String> texts) {
        Map<String, List<Integer>> rows = new LinkedHashMap<>();
        for (int i = 0; i < queries.size(); i++) {
            rows.computeIfAbsent(queries.get(i), _ -> new ArrayList<>()).add(i);
        }
        Float[] scores = new Float[texts.size()];
        rows.forEach((query, indices) -> {
            float[] some = reranker.score(query, indices.stream().map(texts::get).toList());
            for (int i = 0; i < some.length; i++) {
                scores[indices.get(i)] = some[i];
            }
        });
        return Arrays.asList(scores);
    }

    private static Reranker reranker(ModelSettings settings) {
        return SharedModels.get(Reranker.class, settings.here(), FoveaReranker::load);
    }

    private static Reranker load(ModelSettings settings) throws IOException {
        return Reranker.load(Path.of(settings.place()), settings.options());
    }
}
