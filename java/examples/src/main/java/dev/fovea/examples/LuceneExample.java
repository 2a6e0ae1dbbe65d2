package dev.fovea.examples;

import dev.fovea.model.Reranker;
import dev.fovea.model.TextEncoder;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.lucene.analysis.standard.StandardAnalyzer;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.lucene104.Lucene104Codec;
import org.apache.lucene.codecs.lucene104.Lucene104HnswScalarQuantizedVectorsFormat;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.util.QueryBuilder;
import org.apache.lucene.util.quantization.QuantizedByteVectorValues.ScalarEncoding;

/**
 * Hybrid search in a Lucene index: passages that share words with a query by BM25, and those that mean the same by their
 * vectors, which the index keeps as 8-bit integers; both fused by their ranks, and the best ranked again by a cross-encoder,
 * if there is one.
 *
 * <p>Arguments: a file of one passage per line, or nothing for 10,000 made-up ones; then the directory of a reranker, if
 * wanted.
 */
public final class LuceneExample {
    private static final String TEXT = "text";
    private static final String VECTOR = "vector";
    private static final int CANDIDATES = 50;
    private static final int BATCH = 512;

    private LuceneExample() {}

    public static void main(String[] args) throws IOException {
        List<String> passages = args.length > 0 ? Files.readAllLines(Path.of(args[0])) : passages(10_000);
        try (var encoder = TextEncoder.load("all-minilm-l6-v2");
                Reranker reranker = args.length > 1 ? Reranker.load(Path.of(args[1])) : null) {
            run(passages, "my car does not start when it is freezing", encoder, reranker, System.out);
        }
    }

    static void run(List<String> passages, String query, TextEncoder encoder, Reranker reranker, PrintStream print)
            throws IOException {
        try (Directory directory = new ByteBuffersDirectory()) {
            long start = System.nanoTime();
            index(passages, encoder, directory);
            print.printf(Locale.ROOT, "%d passages indexed in %.1f s%n", passages.size(), (System.nanoTime() - start) / 1e9);
            try (DirectoryReader reader = DirectoryReader.open(directory)) {
                start = System.nanoTime();
                List<String> found = search(query, 5, encoder, reranker, new IndexSearcher(reader));
                print.printf(Locale.ROOT, "searched in %.1f ms%n", (System.nanoTime() - start) / 1e6);
                found.forEach(print::println);
            }
        }
    }

    private static void index(List<String> passages, TextEncoder encoder, Directory directory) throws IOException {
        var config = new IndexWriterConfig(new StandardAnalyzer()).setCodec(new Lucene104Codec() {
            @Override
            public KnnVectorsFormat getKnnVectorsFormatForField(String field) {
                return new Lucene104HnswScalarQuantizedVectorsFormat(ScalarEncoding.UNSIGNED_BYTE, 16, 100);
            }
        });
        try (var writer = new IndexWriter(directory, config)) {
            for (int begin = 0; begin < passages.size(); begin += BATCH) {
                List<String> some = passages.subList(begin, Math.min(begin + BATCH, passages.size()));
                float[][] vectors = encoder.encodeAll(some);
                for (int i = 0; i < vectors.length; i++) {
                    Document document = new Document();
                    document.add(new TextField(TEXT, some.get(i), Field.Store.YES));
                    // Vectors of this model have the length 1.
                    document.add(new KnnFloatVectorField(VECTOR, vectors[i], VectorSimilarityFunction.DOT_PRODUCT));
                    writer.addDocument(document);
                }
            }
            writer.forceMerge(1);
        }
    }

    /** The best {@code count} passages for a query, the best first. */
    private static List<String> search(String query, int count, TextEncoder encoder, Reranker reranker, IndexSearcher searcher)
            throws IOException {
        Query words = new QueryBuilder(new StandardAnalyzer()).createBooleanQuery(TEXT, query);
        Query meaning = new KnnFloatVectorQuery(VECTOR, encoder.encode(query), CANDIDATES);
        TopDocs fused = TopDocs.rrf(CANDIDATES, 60,
                new TopDocs[] {searcher.search(words, CANDIDATES), searcher.search(meaning, CANDIDATES)});
        List<String> found = new ArrayList<>();
        for (ScoreDoc hit : fused.scoreDocs) {
            found.add(searcher.storedFields().document(hit.doc).get(TEXT));
        }
        if (reranker != null) {
            found = reranker.rank(query, found).stream().map(Reranker.Ranked::index).map(found::get).toList();
        }
        return found.subList(0, Math.min(count, found.size()));
    }

    /** So many passages, at most 10,000, no two of which are the same. */
    static List<String> passages(int count) {
        List<String> problems = List.of("The engine of a car will not turn over", "The heating of a house stays cold",
                "A bicycle's brakes squeal", "The washing machine leaks", "A laptop's screen flickers", "The garden pump hums",
                "A violin goes out of tune", "The oven burns bread", "A tent lets water in", "The printer smears ink");
        List<String> times = List.of("on frosty mornings", "after heavy rain", "in the summer heat", "late at night",
                "when it has stood for weeks", "during a storm", "after a fall", "in dry air", "at high altitude", "by the sea");
        List<String> causes = List.of("the battery is weak", "a seal is worn", "dust has settled inside", "a screw is loose",
                "a fuse has blown", "the cable is broken", "the oil is too thick", "moisture has crept in", "the filter is full",
                "a spring is tired");
        List<String> remedies = List.of("charge it", "replace it", "clean it with a brush", "tighten it", "call a mechanic",
                "solder it", "warm it up first", "let it dry for a day", "rinse it", "order a spare part");
        List<String> passages = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            passages.add(problems.get(i % 10) + ' ' + times.get(i / 10 % 10) + ": often " + causes.get(i / 100 % 10) + ", so "
                    + remedies.get(i / 1000 % 10) + '.');
        }
        return passages;
    }
}
