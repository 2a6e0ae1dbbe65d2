package dev.fovea.cli.attend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.fovea.testing.Browser;
import java.io.IOException;
import java.io.OutputStream;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Opens pages in a browser, and reads them with mouse, keys and fingers. Leaves pictures of them to look at. */
@Tag("slow")
class AttentionPageTest {
    private static final int DESK = 1280;
    private static final int POCKET = 390;
    private static final Attention SHORT =
            Patterns.of(2, 3, "a", "fluffy", "blue", "creature", "roam", "##ed", "the", "verdant", "forest");

    @TempDir
    private static Path directory;

    private static Browser browser;

    @BeforeAll
    static void start() throws Exception {
        Optional<Path> command = Browser.command();
        assumeTrue(command.isPresent(), "no chromium or google-chrome on PATH");
        write("short", SHORT);
        write("long", Patterns.ofLength(2, 3, 512));
        browser = Browser.start(command.get(), directory);
    }

    @AfterAll
    static void end() {
        if (browser != null) {
            browser.close();
        }
    }

    /** No page may fail in part, break its own security policy, or ask the network for anything. */
    @AfterEach
    void shouldBeContent() {
        assertEquals(List.of(), browser.complaints());
    }

    private static Path write(String name, Attention attention) throws IOException {
        Path file = directory.resolve(name + ".html");
        try (OutputStream out = Files.newOutputStream(file)) {
            AttentionPage.write(attention, new Choice(1, Choice.MEAN), out);
        }
        return file;
    }

    private static void open(String name, int width, boolean dark) throws Exception {
        browser.open(directory.resolve(name + ".html").toUri().toString(), width, dark);
    }

    private static String token(int number) {
        return "#tokens .token:nth-of-type(" + (number + 1) + ")";
    }

    private static String thumbnail(int layer, int head) {
        return "#thumbnails button[data-layer='" + layer + "'][data-head='" + head + "']";
    }

    /** A weight with the decimals of the page. */
    private static String decimals(float weight) {
        return new BigDecimal(weight).setScale(4, RoundingMode.HALF_UP).toPlainString();
    }

    /** The keys and weights of a query, or of a key, that the page should list. */
    private static List<String> strongest(Choice choice, int token, boolean outgoing) {
        float[][] weights = SHORT.map(choice).weights();
        return IntStream.range(0, weights.length)
                .boxed()
                .sorted((a, b) -> Float.compare(
                        outgoing ? weights[token][b] : weights[b][token],
                        outgoing ? weights[token][a] : weights[a][token]))
                .limit(10)
                .map(i -> SHORT.keys().get(i) + " " + decimals(outgoing ? weights[token][i] : weights[i][token]))
                .toList();
    }

    private static List<String> strings(String expression) {
        List<String> strings = new ArrayList<>();
        browser.evaluate(expression).getAsJsonArray().forEach(element -> strings.add(element.getAsString()));
        return strings;
    }

    private static List<String> listed() {
        return strings("[...document.querySelectorAll('#strongest li')]"
                + ".map(item => [...item.children].map(child => child.textContent).join(' '))");
    }

    private static int lines() {
        return browser.evaluate("document.querySelectorAll('#lines path').length").getAsInt();
    }

    private static String focus() {
        return browser.evaluate("document.activeElement.ariaLabel || document.activeElement.textContent").getAsString();
    }

    @ParameterizedTest
    @CsvSource({"short,1280,false", "short,390,false", "short,1280,true", "short,390,true", "long,1280,false",
        "long,390,true"})
    void shouldFitIntoTheWindow(String name, int width, boolean dark) throws Exception {
        open(name, width, dark);
        assertTrue(browser.evaluate("document.documentElement.scrollWidth").getAsInt() <= width);
        assertEquals(12, browser.evaluate("document.querySelectorAll('#thumbnails canvas').length").getAsInt());
        assertEquals(dark ? "rgb(20, 24, 29)" : "rgb(255, 255, 255)",
                browser.evaluate("getComputedStyle(document.body).backgroundColor").getAsString());
        // Tokens, and the numbers over them, are beside each other.
        assertEquals(List.of(), strings("""
                (() => {
                  page.keepToken(3);
                  const boxes = [...document.querySelectorAll('.token')].map(token => token.getBoundingClientRect());
                  return boxes.flatMap((a, i) => boxes.slice(i + 1, i + 60)
                      .filter(b => a.right > b.left + 1 && b.right > a.left + 1 && a.bottom > b.top && b.bottom > a.top)
                      .map(b => JSON.stringify([a, b])));
                })()"""));
        Path screenshots = Path.of(System.getProperty("fovea.cache")).resolveSibling("screenshots");
        Files.createDirectories(screenshots);
        browser.screenshot(screenshots.resolve(name + "-" + width + (dark ? "-dark" : "") + ".png"), 2400);
    }

    @ParameterizedTest
    @CsvSource({"1280,false", "390,true"})
    void shouldPaintMapAndThumbnails(int width, boolean dark) throws Exception {
        open("short", width, dark);
        for (String canvas : List.of("#cells", "#scale", thumbnail(0, 0) + " canvas", thumbnail(2, 3) + " canvas")) {
            int colors = browser.evaluate("""
                    (canvas => new Set(new Uint32Array(canvas.getContext('2d')
                        .getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size)
                    (document.querySelector(`%s`))
                    """.formatted(canvas)).getAsInt();
            assertTrue(colors > 20, canvas + " has " + colors + " colours");
        }
    }

    @Test
    void shouldDrawTheLinksOfATokenUnderTheMouse() throws Exception {
        open("short", DESK, false);
        assertEquals(0, lines());
        browser.hover(token(4));
        assertEquals(strongest(new Choice(1, Choice.MEAN), 4, true), listed());
        assertEquals(11, lines());
        assertEquals("creature attends to", browser.text("#strongest b"));
        float[] weights = SHORT.map(new Choice(1, Choice.MEAN)).weights()[4];
        List<String> labels = strings("[...document.querySelectorAll('.token')].map(token => token.dataset.weight)");
        for (int key = 0; key < weights.length; key++) {
            assertEquals(decimals(weights[key]), labels.get(key));
        }
        browser.hover("h1");
        assertEquals(0, lines());
        assertEquals(List.of(), listed());
    }

    @Test
    void shouldKeepATokenThatIsClickedUntilEscape() throws Exception {
        open("short", DESK, false);
        browser.click(token(2));
        browser.hover(token(5));
        assertEquals("fluffy attends to", browser.text("#strongest b"));
        browser.click(thumbnail(2, 3));
        assertEquals("layer 2 of 2, head 3 of 3", browser.text("#chosen"));
        assertEquals(strongest(new Choice(2, 3), 2, true), listed());
        browser.click("#incoming");
        assertEquals(strongest(new Choice(2, 3), 2, false), listed());
        browser.press("Escape");
        assertEquals(0, lines());
        browser.hover(token(5));
        assertEquals("roam is attended by", browser.text("#strongest b"));
    }

    @Test
    void shouldWorkByKeys() throws Exception {
        open("short", DESK, true);
        browser.press("Tab");
        assertEquals("layer 1 of 2, mean of 3 heads", focus());
        browser.press("ArrowRight", "ArrowRight", "ArrowDown");
        assertEquals("layer 2 of 2, head 2 of 3", browser.text("#chosen"));
        assertEquals("layer 2 of 2, head 2 of 3", focus());
        browser.press("ArrowDown", "ArrowUp", "ArrowUp");
        assertEquals("mean of 2 layers, head 2 of 3", browser.text("#chosen"));
        browser.press("Tab", "Tab", "Enter");
        assertEquals("mean of 2 layers, head 3 of 3", browser.text("#chosen"));
        browser.press("Tab", "Tab", "Tab", "ArrowRight", "ArrowRight", "ArrowRight");
        assertEquals("blue", focus());
        assertEquals(strongest(new Choice(Choice.MEAN, 3), 3, true), listed());
        browser.press("Enter", "End");
        assertEquals("[SEP] attends to", browser.text("#strongest b"));
        browser.press("Tab", "ArrowRight", "ArrowDown", "ArrowRight");
        float weight = SHORT.map(new Choice(Choice.MEAN, 3)).weights()[1][1];
        assertEquals("a → a " + decimals(weight), browser.text("#cell").replaceAll("\\s+", " "));
        assertEquals("a attends to", browser.text("#strongest b"));
    }

    @Test
    void shouldReadTheCellUnderTheMouse() throws Exception {
        open("short", DESK, false);
        double[] place = new double[3];
        List<String> measures = strings("[page.map.left, page.map.top, page.map.cell]");
        for (int i = 0; i < place.length; i++) {
            place[i] = Double.parseDouble(measures.get(i));
        }
        browser.hover("#cells", place[0] + 4.5 * place[2], place[1] + 8.5 * place[2]);
        float weight = SHORT.map(new Choice(1, Choice.MEAN)).weights()[8][4];
        assertEquals("verdant → creature " + decimals(weight), browser.text("#cell").replaceAll("\\s+", " "));
        assertEquals("verdant attends to", browser.text("#strongest b"));
    }

    @Test
    void shouldWorkByTouch() throws Exception {
        open("short", POCKET, true);
        browser.tap(token(6));
        assertEquals(strongest(new Choice(1, Choice.MEAN), 6, true), listed());
        browser.tap("#next");
        assertEquals(strongest(new Choice(1, 1), 6, true), listed());
        browser.tap(thumbnail(0, 3));
        assertEquals("mean of 2 layers, head 3 of 3", browser.text("#chosen"));
        browser.tap("#cells");
        assertTrue(browser.text("#cell").matches(".+ → .+ 0\\.\\d{4}"), browser.text("#cell"));
        // A finger is about this wide.
        assertTrue(browser.evaluate("Math.min(...[...document.querySelectorAll('#thumbnails button, .bar button')]"
                + ".filter(button => button.offsetWidth).map(button => button.offsetHeight))").getAsInt() >= 36);
    }

    @Test
    void shouldHoldTheNumbersOfTheJson() throws Exception {
        open("short", DESK, false);
        JsonObject json = AttentionJsonTest.json(SHORT, List.of(0, 1, 2), List.of(0, 1, 2, 3));
        JsonArray shown = browser.evaluate("Array.from(page.weights.shorts, (_, i) => Weights.format("
                + "page.weights.shorts[i] / 10000))").getAsJsonArray();
        int i = 0;
        for (JsonElement layer : json.getAsJsonArray("layers")) {
            for (JsonElement head : layer.getAsJsonObject().getAsJsonArray("heads")) {
                for (JsonElement row : head.getAsJsonObject().getAsJsonArray("weights")) {
                    for (JsonElement weight : row.getAsJsonArray()) {
                        assertEquals(decimals(weight.getAsFloat()), shown.get(i++).getAsString());
                    }
                }
            }
        }
        assertEquals(shown.size(), i);
    }

    @Test
    void shouldStayUsableWithLongTexts() throws Exception {
        open("long", DESK, false);
        browser.hover(token(300));
        assertEquals(12, lines());
        // The list stays in sight.
        double bottom =
                browser.evaluate("document.querySelector('#strongest').getBoundingClientRect().bottom").getAsDouble();
        assertTrue(bottom <= browser.evaluate("innerHeight").getAsDouble(), "ends at " + bottom);
        browser.click("#zoom");
        assertTrue(browser.evaluate("page.map.cell").getAsDouble() >= 18);
        browser.evaluate("document.querySelector('#window').focus()");
        browser.press("ArrowRight", "ArrowDown", "ArrowDown");
        browser.evaluate("document.querySelector('#window').scrollTo(3000, 3000)");
        browser.settle();
        browser.press("ArrowDown");
        assertTrue(browser.evaluate("document.querySelector('#window').scrollTop").getAsDouble() < 100);
        assertEquals(12, lines());
    }

    @Test
    void shouldShowTwoTextsWhereQueriesAreNotTheKeys() throws Exception {
        Attention crossing = Patterns.crossing(1, 2, List.of("ein", "Haus"), List.of("a", "house", "</s>"));
        browser.open(write("crossing", crossing).toUri().toString(), DESK, false);
        browser.hover("#tokens p:last-child .token:nth-of-type(2)");
        assertEquals("house is attended by", browser.text("#strongest b"));
        assertEquals(2, lines());
        browser.hover("#tokens p .token:nth-of-type(1)");
        assertEquals("ein attends to", browser.text("#strongest b"));
        assertEquals(3, lines());
        assertFalse(browser.evaluate("!!document.querySelector('#outgoing').offsetWidth").getAsBoolean());
    }

    @Test
    void shouldShowHostileTextAsText() throws Exception {
        List<String> tokens = List.of("</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>",
                "{{script}}", "&amp;", "\u202e\u0000", "森林", "'\"`${1}");
        browser.open(write("hostile", Patterns.crossing(1, 1, tokens, tokens)).toUri().toString(), POCKET, false);
        List<String> expected = new ArrayList<>(tokens);
        expected.set(4, "U+202EU+0000");
        assertEquals(expected, strings("[...document.querySelectorAll('.token')].map(token => token.textContent)"));
        assertTrue(browser.evaluate("document.documentElement.scrollWidth").getAsInt() <= POCKET);
        assertEquals(0, browser.evaluate("document.querySelectorAll('img').length").getAsInt());
    }
}
