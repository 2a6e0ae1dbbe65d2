package dev.fovea.text;

import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/**
 * Compares tokenizers that are put together of parts at random with the library: {@code java …
 * dev.fovea.text.ComponentCampaign TOKENIZERS TEXTS SEED}.
 */
final class ComponentCampaign {
    private final Path file;
    private final Random random;
    private final int texts;
    private int failures;
    private int tokenizers;

    ComponentCampaign(Path file, long seed, int texts) {
        this.file = file;
        this.random = new Random(seed);
        this.texts = texts;
    }

    public static void main(String[] args) throws IOException {
        Path file = Files.createTempFile("tokenizer", ".json");
        ComponentCampaign campaign = new ComponentCampaign(file, Long.parseLong(args[2]), Integer.parseInt(args[1]));
        campaign.parts();
        campaign.random(Integer.parseInt(args[0]));
        System.out.printf("%d texts per tokenizer, %d tokenizers: %d differ%n", campaign.texts, campaign.tokenizers,
                campaign.failures);
        Files.delete(file);
        System.exit(campaign.failures == 0 ? 0 : 1);
    }

    /** Each part alone. */
    int parts() throws IOException {
        for (String normalizer : ComponentJson.NORMALIZERS) {
            compare(ComponentJson.tokenizer(normalizer, "null", ComponentJson.words(), List.of()));
        }
        for (String preTokenizer : ComponentJson.PRE_TOKENIZERS) {
            compare(ComponentJson.tokenizer("null", preTokenizer, ComponentJson.words(), List.of()));
        }
        for (String pattern : ComponentJson.PATTERNS) {
            for (String behavior : List.of("Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous")) {
                compare(ComponentJson.tokenizer("null", ComponentJson.split(pattern, behavior, random.nextBoolean()),
                        ComponentJson.words(), List.of()));
            }
        }
        return failures;
    }

    /** Any together. */
    int random(int count) throws IOException {
        for (int i = 0; i < count; i++) {
            String model = switch (random.nextInt(3)) {
                case 0 -> ComponentJson.words();
                case 1 -> ComponentJson.pairs(random);
                default -> ComponentJson.pieces(random);
            };
            compare(ComponentJson.tokenizer(ComponentJson.NORMALIZERS.get(random.nextInt(ComponentJson.NORMALIZERS.size())),
                    ComponentJson.PRE_TOKENIZERS.get(random.nextInt(ComponentJson.PRE_TOKENIZERS.size())), model,
                    ComponentJson.added(random, model)));
        }
        return failures;
    }

    private void compare(String json) throws IOException {
        Files.writeString(file, json);
        tokenizers++;
        try (Tokenizer java = Tokenizer.load(file, false); Tokenizer library = Tokenizer.load(file, true)) {
            EqualityCampaign campaign = new EqualityCampaign(java, library);
            int found = 0;
            for (int i = 0; i < texts && found == 0; i++) {
                String text = Texts.of(random);
                campaign.compare(text.length() > 600 ? text.substring(0, 600) : text, true);
                found = campaign.failures();
            }
            if (found > 0) {
                failures++;
                System.out.println("  by " + (json));
            }
        } catch (FormatException refused) {
            System.out.println("  refused: " + refused.problem() + " by " + json.substring(0, Math.min(300, json.length())));
            failures += json.contains("\"Regex\"") ? 0 : 1;
        }
    }
}
