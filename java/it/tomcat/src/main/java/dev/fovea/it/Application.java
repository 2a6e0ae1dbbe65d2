package dev.fovea.it;

import dev.fovea.model.TextEncoder;
import jakarta.servlet.ServletContextEvent;
import jakarta.servlet.ServletContextListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;

/** A web application that has an encoder from its start to its end. Loaded in the application's own class loader. */
public final class Application implements ServletContextListener {
    private TextEncoder encoder;

    @Override
    public void contextInitialized(ServletContextEvent event) {
        try {
            encoder = TextEncoder.load("all-minilm-l6-v2");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        float[] vector = encoder.encode("How do I reset my password?");
        event.getServletContext().setAttribute("answer",
                String.format(Locale.ROOT, "%s %d %.6f", encoder.engine().backend(), vector.length, vector[0]));
    }

    @Override
    public void contextDestroyed(ServletContextEvent event) {
        encoder.close();
    }
}
