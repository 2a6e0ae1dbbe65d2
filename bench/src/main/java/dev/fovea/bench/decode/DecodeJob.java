package dev.fovea.bench.decode;

import dev.fovea.bench.natives.ReadBandwidth;
import dev.fovea.bench.study.ChildJvm;
import dev.fovea.bench.study.Findings;
import dev.fovea.bench.study.Job;
import dev.fovea.bench.study.Measurement;
import dev.fovea.internal.cache.CacheDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** All sides on one file, in turn, and the bandwidth of memory before each. */
final class DecodeJob implements Job {
    private static final List<String> FLAGS = List.of("-Xmx1g", "-XX:+UseSerialGC");

    /**
     * How much is measured.
     *
     * @param prompt tokens of the prompt that is timed
     * @param depth tokens before those of the deep context
     * @param tokens how many tokens are timed each time
     * @param fetches whether llama.cpp may be fetched
     */
    record Extent(int prompt, int depth, int tokens, boolean fetches) {}

    /** How often each side only loads. */
    private static final int LOADS = 3;

    private final DecoderShape shape;
    private final FileType type;
    private final int threads;
    private final Extent extent;
    private final Map<String, String> work = new LinkedHashMap<>();

    DecodeJob(DecoderShape shape, FileType type, int threads, Extent extent) {
        this.shape = shape;
        this.type = type;
        this.threads = threads;
        this.extent = extent;
        work.put("model", shape.name());
        work.put("type", type.name());
        work.put("threads", Integer.toString(threads));
    }

    @Override
    public String name() {
        return shape.name() + "-" + type.name().replace('_', '.') + "-" + threads + (threads == 1 ? "thread" : "threads");
    }

    @Override
    public int estimatedSeconds() {
        double weights = shape == DecoderShape.TINY ? 0.01 : shape == DecoderShape.QWEN ? 0.6 : 1.2;
        return (int) Math.ceil(5 + weights * DecodeSuite.SIDES.size() * (extent.depth() + 2 * extent.prompt() + 16 * extent.tokens()) / 60.0 / threads);
    }

    @Override
    public void run(Findings findings) throws Exception {
        Path cache = CacheDirectory.user().root().resolve("bench");
        Path file = GgufFile.of(cache, shape, type);
        Path llama = llama(cache, findings);
        String reference = reference(file, findings);
        List<Double> bandwidths = new ArrayList<>();
        for (String side : DecodeSuite.SIDES) {
            if (llama == null && !side.equals(DecodeSuite.FOVEA)) {
                continue;
            }
            load(side, file, llama, findings);
            bandwidths.add(ReadBandwidth.gigabytes(threads));
            run(side, file, List.of(String.valueOf(llama), reference), findings, _ -> {});
        }
        bandwidths.add(ReadBandwidth.gigabytes(threads));
        // What a token can at most: each of its weights once.
        long bytes = Files.size(file);
        findings.measured(new Measurement(DecodeSuite.MEMORY, work, "short", bandwidths.stream().map(b -> b * 1e9 / bytes).toList()));
        long withCache = bytes + shape.cacheBytes() * extent.depth();
        findings.measured(new Measurement(DecodeSuite.MEMORY, work, "deep",
                bandwidths.stream().map(b -> b * 1e9 / withCache).toList()));
        for (int requests : DecodeSuite.TOGETHER) {
            findings.measured(new Measurement(DecodeSuite.MEMORY, work, "at" + requests,
                    bandwidths.stream().map(b -> requests * b * 1e9 / bytes).toList()));
        }
        findings.measured(new Measurement(DecodeSuite.MEMORY, work, "bandwidth", bandwidths));
    }

    /** In processes of their own. */
    private void load(String side, Path file, Path llama, Findings findings) throws IOException, InterruptedException {
        List<Double> millis = new ArrayList<>();
        List<Double> memory = new ArrayList<>();
        for (int i = 0; i < LOADS; i++) {
            run(side, file, List.of(String.valueOf(llama), DecodeMain.LOADS), findings, line -> {
                if (line.startsWith(DecodeMain.LOADED)) {
                    String[] found = line.substring(DecodeMain.LOADED.length()).split(" ");
                    millis.add(Double.valueOf(found[0]));
                    if (found.length > 1) {
                        memory.add(Double.valueOf(found[1]));
                    }
                }
            });
        }
        if (!millis.isEmpty()) {
            findings.measured(new Measurement(side, work, "load", millis));
        }
        if (!memory.isEmpty()) {
            findings.measured(new Measurement(side, work, "rss", memory));
        }
    }

    /** Where llama.cpp is; null, and said, where it is not. */
    private Path llama(Path cache, Findings findings) {
        for (String side : List.of(DecodeSuite.FLASH, DecodeSuite.PLAIN)) {
            try {
                Path directory = LlamaCppPackage.directory(cache, extent.fetches());
                findings.version(side, LlamaCppPackage.VERSION);
                if (side.equals(DecodeSuite.PLAIN)) {
                    return directory;
                }
            } catch (IOException e) {
                findings.absent(side, e.getMessage());
            }
        }
        return null;
    }

    private String reference(Path file, Findings findings) throws IOException, InterruptedException {
        List<String> found = new ArrayList<>();
        run(DecodeSuite.REFERENCE, file, List.of(), findings, line -> {
            if (line.startsWith(DecodeMain.REFERENCE)) {
                found.add(line.substring(DecodeMain.REFERENCE.length()));
            }
        });
        return found.getFirst();
    }

    private void run(String side, Path file, List<String> rest, Findings findings, Consumer<String> lines)
            throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of(side, file.toString(), shape.name(), type.name(),
                Integer.toString(threads), Integer.toString(extent.prompt()), Integer.toString(extent.depth()),
                Integer.toString(extent.tokens())));
        arguments.addAll(rest);
        new ChildJvm(DecodeMain.class).run(side, work, FLAGS, arguments, findings, lines);
    }
}
