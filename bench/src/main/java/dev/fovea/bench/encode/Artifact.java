package dev.fovea.bench.encode;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** What Maven says of the jars on the class path. */
public final class Artifact {
    private Artifact() {}

    /** The version of Fovea, and of these studies, which are built with it. */
    public static String fovea() {
        return version("dev.fovea", "fovea");
    }

    /** The version of an artifact; {@code unpackaged} if its classes are no jar's. */
    public static String version(String group, String artifact) {
        String entry = "/META-INF/maven/" + group + '/' + artifact + "/pom.properties";
        try (InputStream in = Artifact.class.getResourceAsStream(entry)) {
            if (in == null) {
                return "unpackaged";
            }
            Properties properties = new Properties();
            properties.load(in);
            return properties.getProperty("version");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
