package dev.fovea.internal.natives;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;

/** Names the platform that this process runs on, as the jars of the native library do. */
final class Platform {
    private static final Set<String> BUILT =
            Set.of("linux-x86_64", "linux-x86_64-musl", "linux-aarch64", "linux-aarch64-musl", "macos-aarch64",
                    "macos-x86_64", "windows-x86_64");

    private static final Set<String> BUILT_CUDA = Set.of("linux-x86_64", "linux-aarch64");

    private Platform() {}

    /** Such as {@code linux-x86_64}. Also for platforms that no library is built for. */
    static String current() {
        String name = name(System.getProperty("os.name"), System.getProperty("os.arch"));
        return name.startsWith("linux-") && runsOnMusl() ? name + "-musl" : name;
    }

    /** The name for these values of {@code os.name} and {@code os.arch}. */
    static String name(String osName, String osArch) {
        String os = osName.toLowerCase(Locale.ROOT);
        String family = os.startsWith("mac") ? "macos" : os.startsWith("windows") ? "windows" : os.replace(' ', '_');
        String arch = switch (osArch.toLowerCase(Locale.ROOT)) {
            case "amd64", "x86_64", "x86-64" -> "x86_64";
            case "aarch64", "arm64" -> "aarch64";
            default -> osArch.toLowerCase(Locale.ROOT);
        };
        return family + "-" + arch;
    }

    /** Why there is no library for {@code platform} on the class path. */
    static String absent(String platform) {
        if (!BUILT.contains(platform)) {
            return "no native library for " + platform + ": it is built for "
                    + String.join(", ", BUILT.stream().sorted().toList());
        }
        return "no native library for " + platform + " on the class path (no " + LibraryIndex.resource(platform)
                + "): add dev.fovea:fovea-native-" + platform + " or name a directory with -D"
                + NativeLibrary.PROPERTY + "=DIR";
    }

    /** Why there is no GPU library for {@code platform} on the class path. */
    static String absentCuda(String platform) {
        if (!BUILT_CUDA.contains(platform)) {
            return "no CUDA library for " + platform + ": it is built for "
                    + String.join(", ", BUILT_CUDA.stream().sorted().toList());
        }
        return "no CUDA library for " + platform + " on the class path (no " + LibraryIndex.resource("cuda-" + platform)
                + "): add dev.fovea:fovea-cuda with classifier " + platform
                + ", built where nvcc is, or name a directory with -D" + NativeLibrary.CUDA_PROPERTY + "=DIR";
    }

    /** A glibc system may have musl installed as well, so what counts is what this process has mapped. */
    private static boolean runsOnMusl() {
        try {
            return hasMusl() && Files.readString(Path.of("/proc/self/maps")).contains("/ld-musl-");
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean hasMusl() {
        String[] names = new File("/lib").list();
        for (String name : names == null ? new String[0] : names) {
            if (name.startsWith("ld-musl-")) {
                return true;
            }
        }
        return false;
    }
}
