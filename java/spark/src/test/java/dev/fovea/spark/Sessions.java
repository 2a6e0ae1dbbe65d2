package dev.fovea.spark;

import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** Sessions of Spark that tests use, and texts. */
final class Sessions {
    private static final String[] WORDS = {"password", "reset", "how", "do", "I", "my", "account", "billing", "weather", "is",
        "nice", "today", "cancel", "order", "where", "shipping", "refund", "the", "a", "login"};

    private Sessions() {}

    static SparkSession of(String master) {
        return of(master, Map.of());
    }

    static SparkSession of(String master, Map<String, String> settings) {
        var builder = SparkSession.builder().master(master).appName("fovea").config("spark.ui.enabled", false)
                .config("spark.sql.shuffle.partitions", 4).config("spark.driver.bindAddress", "127.0.0.1")
                .config("spark.driver.host", "127.0.0.1").config("spark.sql.warehouse.dir", "target/warehouse");
        settings.forEach(builder::config);
        return builder.getOrCreate();
    }

    /** Sentences of 1 to 16 words, the same each time. */
    static List<String> sentences(int count) {
        return IntStream.range(0, count).mapToObj(i -> {
            var text = new StringBuilder();
            int state = 31 * i + 7;
            for (int words = 1 + i % 16; words > 0; words--) {
                state = state * 1664525 + 1013904223;
                text.append(text.isEmpty() ? "" : " ").append(WORDS[(state >>> 16) % WORDS.length]);
            }
            return text.toString();
        }).toList();
    }

    /** A table of one column, {@code text}, in partitions. */
    static Dataset<Row> table(SparkSession spark, List<String> texts, int partitions) {
        return spark.createDataset(new JavaSparkContext(spark.sparkContext()).parallelize(texts, partitions).rdd(),
                Encoders.STRING()).toDF("text");
    }
}
