package dev.fovea.it;

import dev.fovea.model.TextEncoder;
import java.io.IOException;
import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/** An application with an encoder as its bean, which it closes. */
@SpringBootApplication
public class Main {
    @Bean
    TextEncoder encoder() throws IOException {
        return TextEncoder.load("all-minilm-l6-v2");
    }

    @Bean
    CommandLineRunner runner(TextEncoder encoder) {
        return arguments -> {
            float[] vector = encoder.encode("How do I reset my password?");
            System.out.printf("%s %d %.6f%n", encoder.engine().backend(), vector.length, vector[0]);
        };
    }

    public static void main(String[] arguments) {
        SpringApplication.run(Main.class, arguments);
    }
}
