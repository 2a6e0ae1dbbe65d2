package dev.fovea.cli.attend;

import com.google.gson.Gson;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;

/**
 * A page of HTML that needs nothing beside it and lets one explore all layers and heads. It allows itself by a content
 * security policy the style and the script that it carries, and nothing else.
 *
 * <p>The weights are in it to four decimals, so many ten thousandths each as an unsigned little-endian short, [layers +
 * 1][heads + 1][queries][keys], where layer 0 and head 0 are means; deflated, and in Base64.
 */
public final class AttentionPage {
    private static final int DECIMALS = 10_000;

    /** Within 2 % of the size that the default level gives, in less than half the time. */
    private static final int DEFLATION = 4;

    private static final int TITLE_COLUMNS = 60;
    private static final List<String> SCRIPTS =
            List.of("weights.js", "palette.js", "thumbnails.js", "heatmap.js", "links.js", "main.js");

    /** What the script gets, besides the weights. */
    private record Facts(
            String model, List<String> queries, List<String> keys, List<Boolean> specialQueries,
            List<Boolean> specialKeys, int layers, int heads, int layer, int head) {}

    private AttentionPage() {}

    /** Writes the page, on which {@code choice} is enlarged first; leaves {@code out} open. */
    public static void write(Attention attention, Choice choice, OutputStream out) throws IOException {
        String style = resource("page.css");
        String script = SCRIPTS.stream().map(AttentionPage::resource).collect(Collectors.joining("\n"));
        Map<String, String> parts = Map.of(
                "title", escape(attention.model() + ": " + Tokens.cut(Tokens.visible(attention.text()), TITLE_COLUMNS)),
                "policy", "default-src 'none'; style-src '" + hash(style) + "'; script-src '" + hash(script) + "'",
                "style", style,
                "facts", facts(attention, choice),
                "script", script);
        // Split at what stands between two braces: every other piece is the name of a part.
        String[] pieces = resource("page.html").split("\\{\\{|}}");
        for (int i = 0; i < pieces.length; i++) {
            if (i % 2 == 0) {
                out.write(pieces[i].getBytes(StandardCharsets.UTF_8));
            } else if (pieces[i].equals("weights")) {
                weights(attention, out);
            } else {
                out.write(parts.get(pieces[i]).getBytes(StandardCharsets.UTF_8));
            }
        }
    }

    /** JSON in which no {@code <} ends the element around it: Gson escapes it. */
    private static String facts(Attention attention, Choice choice) {
        return new Gson().toJson(new Facts(
                attention.model(), visible(attention.queries()), visible(attention.keys()),
                special(attention.queries()), special(attention.keys()), attention.layers(), attention.heads(),
                choice.layer(), choice.head()));
    }

    private static List<String> visible(List<String> tokens) {
        return tokens.stream().map(Tokens::visible).toList();
    }

    private static List<Boolean> special(List<String> tokens) {
        return tokens.stream().map(Tokens::isSpecial).toList();
    }

    private static void weights(Attention attention, OutputStream out) throws IOException {
        OutputStream base64 = Base64.getEncoder().wrap(keepingOpen(out));
        Deflater deflater = new Deflater(DEFLATION);
        try (OutputStream packed = new DeflaterOutputStream(base64, deflater)) {
            ByteBuffer row = ByteBuffer.allocate(2 * attention.keys().size()).order(ByteOrder.LITTLE_ENDIAN);
            for (int layer = Choice.MEAN; layer <= attention.layers(); layer++) {
                for (int head = Choice.MEAN; head <= attention.heads(); head++) {
                    for (float[] weights : attention.map(new Choice(layer, head)).weights()) {
                        row.clear();
                        for (float weight : weights) {
                            row.putShort((short) Math.round((double) weight * DECIMALS));
                        }
                        packed.write(row.array());
                    }
                }
            }
        } finally {
            deflater.end();
        }
    }

    private static OutputStream keepingOpen(OutputStream out) {
        return new FilterOutputStream(out) {
            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                out.write(bytes, offset, length);
            }

            @Override
            public void close() throws IOException {
                flush();
            }
        };
    }

    private static String resource(String name) {
        try (InputStream in = AttentionPage.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** As a content security policy names what an element holds. */
    private static String hash(String content) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(content.getBytes(StandardCharsets.UTF_8));
            return "sha256-" + Base64.getEncoder().encodeToString(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
