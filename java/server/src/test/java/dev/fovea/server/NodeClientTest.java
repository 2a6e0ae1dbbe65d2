package dev.fovea.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** OpenAI's client for Node.js, which npm fetches: {@code -Dfovea.npm}. */
class NodeClientTest {
    private static final String SCRIPT = """
            import OpenAI from 'openai';
            const client = new OpenAI({baseURL: process.argv[2] + '/v1', apiKey: 'unused-key', maxRetries: 0});
            const vectors = await client.embeddings.create({model: 'all-minilm-l6-v2', input: ['a cat', 'a dog']});
            console.log(vectors.data.length, vectors.data[0].embedding.length);
            const question = {model: 'writer', messages: [{role: 'user', content: 'w1 w2'}], seed: 7, max_completion_tokens: 12};
            const whole = await client.chat.completions.create(question);
            let text = '';
            for await (const piece of await client.chat.completions.create({...question, stream: true})) {
              text += piece.choices[0]?.delta?.content ?? '';
            }
            console.log(text === whole.choices[0].message.content, text.split(' ').length, whole.choices[0].finish_reason);
            const stopped = await client.chat.completions.create({...question, max_completion_tokens: 30000, stream: true});
            for await (const piece of stopped) { stopped.controller.abort(); break; }
            await client.chat.completions.create({...question, model: 'gpt'}).catch(error => console.log(error.status, error.code));
            console.log((await client.models.list()).data.map(model => model.id).join());
            """;

    @TempDir
    private Path directory;

    private String run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(true, process.waitFor(5, TimeUnit.MINUTES), output);
        assertEquals(0, process.exitValue(), output);
        return output;
    }

    @Test
    void shouldServeItsClient() throws Exception {
        assumeTrue(Boolean.getBoolean("fovea.npm"), "-Dfovea.npm=true fetches openai from npm");
        Files.writeString(directory.resolve("package.json"), "{\"type\": \"module\"}");
        Files.writeString(directory.resolve("client.js"), SCRIPT);
        run("npm", "install", "--no-audit", "--no-fund", "openai");
        TestServer server = TestServer.shared();
        assertEquals(List.of("2 384", "true 12 length", "404 model_not_found", "all-minilm-l6-v2,ranker,labels,terms,writer"),
                run("node", "client.js", server.address()).lines().toList());
    }
}
