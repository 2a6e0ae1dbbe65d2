package dev.fovea.bench.run;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the figures come from.
 *
 * @param cpu its model, or the architecture if the system does not report it
 * @param cores the processors that the JVM may use
 * @param caches level and kind to size, such as {@code L1 data → 32K}; empty if the system does not report it
 * @param memory bytes
 * @param os name and version
 */
public record Machine(String cpu, int cores, Map<String, String> caches, long memory, String os) {
    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");
    private static final Path CACHES = Path.of("/sys/devices/system/cpu/cpu0/cache");
    private static final Path RELEASE = Path.of("/etc/os-release");

    /** This one. */
    static Machine here() {
        long memory = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
        return new Machine(findCpu(), Runtime.getRuntime().availableProcessors(), readCaches(), memory, findOs());
    }

    private static String findCpu() {
        return lines(CPU_INFO).stream()
                .filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse(System.getProperty("os.arch"));
    }

    private static Map<String, String> readCaches() {
        Map<String, String> caches = new TreeMap<>();
        for (int i = 0; Files.isDirectory(CACHES.resolve("index" + i)); i++) {
            Path cache = CACHES.resolve("index" + i);
            String level = first(cache.resolve("level"));
            String type = first(cache.resolve("type")).toLowerCase(Locale.ROOT);
            String size = first(cache.resolve("size"));
            if (!level.isEmpty() && !size.isEmpty()) {
                caches.put("L" + level + (type.equals("unified") ? "" : " " + type), size);
            }
        }
        return new LinkedHashMap<>(caches);
    }

    private static String findOs() {
        String kernel = System.getProperty("os.name") + " " + System.getProperty("os.version");
        return lines(RELEASE).stream()
                .filter(line -> line.startsWith("PRETTY_NAME="))
                .map(line -> line.substring(line.indexOf('=') + 1).replace("\"", "") + ", " + kernel)
                .findFirst()
                .orElse(kernel);
    }

    private static String first(Path file) {
        List<String> lines = lines(file);
        return lines.isEmpty() ? "" : lines.getFirst().strip();
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            // Other systems have other ways to report it; what is unknown is left out.
            return List.of();
        }
    }
}
