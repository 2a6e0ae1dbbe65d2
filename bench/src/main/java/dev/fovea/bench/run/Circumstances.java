package dev.fovea.bench.run;

import dev.fovea.bench.study.Effort;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * What all results of one directory have in common. Results that differ in any of it must not stand in one table.
 *
 * @param effort how much was measured
 * @param build which Fovea: a digest of its jars, or {@code classes} where it does not run from jars
 * @param jdk vendor and version
 * @param flags of the JVM that starts the others, which inherit them
 * @param machine what ran it
 */
public record Circumstances(Effort effort, String build, String jdk, List<String> flags, Machine machine) {
    static Circumstances here(Effort effort) throws IOException {
        String jdk = System.getProperty("java.vendor") + " " + Runtime.version();
        List<String> flags = ManagementFactory.getRuntimeMXBean().getInputArguments();
        return new Circumstances(effort, digest(), jdk, flags, Machine.here());
    }

    /** In what {@code other} differs, for people, or null. */
    String difference(Circumstances other) {
        return Stream.of(
                        difference("effort", effort, other.effort),
                        difference("build", build, other.build),
                        difference("JDK", jdk, other.jdk),
                        difference("flags", flags, other.flags),
                        difference("CPU", machine.cpu(), other.machine.cpu()),
                        difference("cores", machine.cores(), other.machine.cores()),
                        difference("memory", machine.memory(), other.machine.memory()),
                        difference("system", machine.os(), other.machine.os()))
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
    }

    private static String difference(String what, Object mine, Object others) {
        return mine.equals(others) ? null : what + " " + others + ", not " + mine;
    }

    private static String digest() throws IOException {
        List<Path> jars = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            Path path = Path.of(entry);
            Path name = path.getFileName();
            if (name != null && name.toString().matches("fovea.*\\.jar") && Files.isRegularFile(path)) {
                jars.add(path);
            }
        }
        if (jars.isEmpty()) {
            return "classes";
        }
        jars.sort(null);
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            for (Path jar : jars) {
                try (InputStream in = Files.newInputStream(jar)) {
                    in.transferTo(new DigestOutputStream(OutputStream.nullOutputStream(), sha));
                }
            }
            return HexFormat.of().formatHex(sha.digest(), 0, 6);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
