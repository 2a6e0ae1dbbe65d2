package dev.fovea.it;

import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.onnx.allminilml6v2.AllMiniLmL6V2EmbeddingModel;
import java.util.List;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

/**
 * A service that embeds texts by ONNX Runtime, as one writes it with Spring Boot: each request by itself, all by default. The
 * tests of fovea-server measure against it; see {@code ThroughputTest}.
 */
@SpringBootApplication
@RestController
public class OnnxService {
    private final EmbeddingModel model = new AllMiniLmL6V2EmbeddingModel();

    /** What {@code /embed} takes. */
    record Texts(String inputs) {}

    @PostMapping("/embed")
    List<float[]> embed(@RequestBody Texts texts) {
        return List.of(model.embed(texts.inputs()).content().vector());
    }

    /** Serves on {@code --server.port}. */
    public static void main(String[] args) {
        SpringApplication.run(OnnxService.class, args);
    }
}
