package dev.fovea.text;

import java.util.Random;
import java.util.stream.IntStream;

/** Random texts that look for trouble, and some that look real. */
final class Texts {
    private static final String[] WORDS = ("the of and Gesellschaft naïve façade résumé Ångström don't we'll I'M they'Ve "
            + "2024 3.14159 12,345,678 ½ ² ⅷ ① x->y[3] <<= != /* */ https://example.org/a?b=c&d=%20 foo_bar CamelCase "
            + "__init__ 世界 如何重置我的密码 日本語テキスト ﾊﾝｶｸ 한국어 각 ㄱㅏ العربية עִבְרִית हिन्दी क्षि ไทย ภาษาไทย தமிழ் "
            + "ελληνικά ΣΊΣΥΦΟΣ русский Ёлка İstanbul ıIiİ ß ẞ ﬁ ﬀ ǆ Ǆ ŉ ʼn ſs K Å 😀 👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇫🇷 e\u0301 o\u0308\u0323 "
            + "\u0344 \u0f73\u0f71 a\u0315\u0300\u05ae\u0300\u0062 \u1100\u1161\u11a8 \u200b \u00ad \ufeff \u2581 ▁▁ Ġ Ċ "
            + "[SEP] [CLS] [MASK] [UNK] <s> </s> <unk> <pad> <bos> <|endoftext|> <|im_start|> <|eot_id|> <0x0A> <mask> "
            + "\ufffd \ufffe \ud83d \udc00 \u0000 \u0085 \u2028 \u3000 \u00a0 \u1680 \u180e \u061c ''' \"\" ... --- !!! ?! ¿¡ "
            + "«» “” ‘’ $€£ ©®™ ^`~ |\\ {}[]()").split(" ");
    private static final String[] SPACES = {" ", " ", " ", " ", "  ", "\n", "\t", "\r\n", "", "   ", "\u00a0", "\n\n", " \n"};
    private static final int[][] BLOCKS = {{0x20, 0x7f}, {0x20, 0x7f}, {0x20, 0x7f}, {0, 0x250}, {0x250, 0x600},
        {0x300, 0x370}, {0x590, 0x780}, {0x900, 0xe80}, {0xe80, 0x1200}, {0x1e00, 0x2400}, {0x2400, 0x3400}, {0x4e00, 0x9fff},
        {0xa000, 0xac00}, {0xac00, 0xd800}, {0xf900, 0x10000}, {0x10000, 0x12000}, {0x1d000, 0x1f000}, {0x1f000, 0x20000},
        {0x20000, 0x30000}, {0, 0x110000}};

    private Texts() {}

    static String of(Random random) {
        return switch (random.nextInt(8)) {
            case 0 -> characters(random, 1 + random.nextInt(12));
            case 1 -> marks(random);
            case 2 -> repeated(random);
            case 3 -> characters(random, 1 + random.nextInt(60));
            default -> words(random, 1 + random.nextInt(24));
        };
    }

    static String words(Random random, int count) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            int kind = random.nextInt(12);
            if (kind < 5) {
                text.append(WORDS[random.nextInt(WORDS.length)]);
            } else if (kind < 10) {
                letters(random, text);
            } else if (kind == 10) {
                text.append(random.nextInt(1 + random.nextInt(1_000_000)));
            } else {
                text.append(characters(random, 1 + random.nextInt(3)));
            }
            text.append(SPACES[random.nextInt(SPACES.length)]);
        }
        return text.toString();
    }

    /** A made-up word: syllables of English. */
    private static void letters(Random random, StringBuilder text) {
        int begin = text.length();
        for (int i = random.nextInt(4); i >= 0; i--) {
            text.append("bcdfghlmnprstvw".charAt(random.nextInt(15))).append("aeiouy".charAt(random.nextInt(6)));
            text.append(new String[] {"", "n", "r", "s", "t", "ng", "ll", "st", "ck", "ing", "ed"}[random.nextInt(11)]);
        }
        if (random.nextInt(4) == 0) {
            text.setCharAt(begin, Character.toUpperCase(text.charAt(begin)));
        }
    }

    private static String characters(Random random, int count) {
        int[] block = BLOCKS[random.nextInt(BLOCKS.length)];
        int[] codes = IntStream.range(0, count).map(i -> {
            int[] from = random.nextInt(3) == 0 ? BLOCKS[random.nextInt(BLOCKS.length)] : block;
            return from[0] + random.nextInt(from[1] - from[0]);
        }).toArray();
        return new String(codes, 0, count);
    }

    /** Letters under many marks. */
    private static String marks(Random random) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(12); i >= 0; i--) {
            int kind = random.nextInt(6);
            text.appendCodePoint(kind < 3 ? 0x300 + random.nextInt(0x70) : kind == 3 ? 0x591 + random.nextInt(0x90)
                    : kind == 4 ? "aeouAEcnsd\u00fc\u1ea5\u0344\u212b\u1fb3\u0958\u0b4b".charAt(random.nextInt(17))
                    : 0x1ab0 + random.nextInt(0x20));
        }
        return text.toString();
    }

    private static String repeated(Random random) {
        String part = random.nextBoolean() ? WORDS[random.nextInt(WORDS.length)] : characters(random, 1 + random.nextInt(2));
        return part.repeat(1 + random.nextInt(1 + random.nextInt(120)));
    }
}
