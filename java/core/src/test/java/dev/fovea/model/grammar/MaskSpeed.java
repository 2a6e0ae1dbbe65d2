package dev.fovea.model.grammar;

import dev.fovea.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Times masks on real vocabularies: {@code MaskSpeed tokenizer.json…}. What is written is drawn from all that may follow. */
final class MaskSpeed {
    private static final int ANSWERS = 12;
    private static final int TOKENS = 200;

    private MaskSpeed() {}

    public static void main(String[] files) throws IOException {
        Map<String, CompiledFormat> formats = new LinkedHashMap<>();
        formats.put("any object", CompiledFormat.ofSchema("{\"type\": \"object\"}"));
        formats.put("schema", CompiledFormat.ofSchema("""
                {"type": "object", "properties": {"name": {"type": "string", "maxLength": 50}, "about": {"type": "string"},
                 "age": {"type": "integer", "minimum": 0, "maximum": 120}, "price": {"type": "number", "exclusiveMinimum": 0},
                 "tags": {"type": "array", "items": {"enum": ["a", "b"]}}, "when": {"type": "string", "format": "date-time"}},
                 "required": ["name", "age", "tags"], "additionalProperties": false}"""));
        formats.put("schema behind thoughts", formats.get("schema").behindThoughts(true));
        formats.put("regex", CompiledFormat.ofRegex("[^\"]{1,200}"));
        formats.put("grammar", CompiledFormat.ofGrammar("root ::= w \" \" root | w\nw ::= c w | c\nc ::= [a-z]"));
        for (String file : files) {
            try (Tokenizer tokenizer = Tokenizer.load(Path.of(file))) {
                for (int round = 0; round < 2; round++) {
                    var vocabulary = new Vocabulary<String>(tokenizer, tokenizer.vocabularySize(), new int[0]);
                    long begin = System.nanoTime();
                    vocabulary.constraint("", CompiledFormat.ofChoice(List.of("x")), 4);
                    System.out.printf("%s, round %d: %d tokens, read in %d ms%n", file, round, tokenizer.vocabularySize(),
                            (System.nanoTime() - begin) / 1_000_000);
                    formats.forEach((name, format) -> time(name, format, vocabulary));
                }
            }
        }
    }

    private static void time(String name, CompiledFormat format, Vocabulary<String> vocabulary) {
        long begin = System.nanoTime();
        vocabulary.constraint(name, format, TOKENS);
        long first = System.nanoTime() - begin;
        var random = new Random(5);
        List<Long> steps = new ArrayList<>();
        for (int answer = 0; answer < ANSWERS; answer++) {
            Constraint constraint = vocabulary.constraint(name, format, TOKENS);
            for (int token = 0; token < TOKENS && !constraint.isComplete(); token++) {
                long from = System.nanoTime();
                long[] mask = constraint.mask();
                long masked = System.nanoTime();
                int next = pick(mask, random);
                if (next < 0) {
                    break;
                }
                long picked = System.nanoTime();
                constraint.accept(next);
                steps.add(System.nanoTime() - picked + masked - from);
            }
        }
        Collections.sort(steps);
        System.out.printf("  %-12s %6d states, computed in %4d ms; a step takes %d us, of 100 the slowest but one %d us, at most %d us%n",
                name, format.automaton().size(), first / 1_000_000, steps.get(steps.size() / 2) / 1000,
                steps.get(steps.size() * 99 / 100) / 1000, steps.getLast() / 1000);
    }

    private static int pick(long[] mask, Random random) {
        int picked = -1;
        int count = 0;
        for (int i = 0; i < mask.length; i++) {
            for (long left = mask[i]; left != 0; left &= left - 1) {
                if (random.nextInt(++count) == 0) {
                    picked = (i << 6) + Long.numberOfTrailingZeros(left);
                }
            }
        }
        return picked;
    }
}
