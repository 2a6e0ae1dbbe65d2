package ${jars.module};

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.spi.ToolProvider;

/**
 * Says what this jar holds. As java.base uses services of this kind, this one makes the module part of every application
 * whose module path has it, and so Fovea find the library, without a line in anyone's descriptor.
 */
public final class Contents implements ToolProvider {
    /** For ServiceLoader. */
    public Contents() {}

    @Override
    public String name() {
        return "${project.artifactId}";
    }

    /** Prints the index: Fovea's version, and the SHA-256, the size and the name of each file. */
    @Override
    public int run(PrintWriter out, PrintWriter err, String... arguments) {
        String index = "META-INF/fovea/${jars.library}/index";
        try (InputStream in = Contents.class.getClassLoader().getResourceAsStream(index)) {
            if (in == null) {
                err.println(name() + ": this jar has no " + index);
                return 1;
            }
            out.print(new String(in.readAllBytes(), StandardCharsets.UTF_8));
            out.flush();
            return 0;
        } catch (IOException e) {
            err.println(name() + ": " + e);
            return 1;
        }
    }
}
