package dev.fovea.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.Gson;
import dev.fovea.testing.Browser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tries models on the page, with mouse, keys and fingers, in a browser. Leaves pictures of it to look at. */
@Tag("slow")
class PageTest {
    private static final int DESK = 1280;
    private static final int POCKET = 390;
    private static final Path PICTURES = Path.of("target", "pictures");
    private static final String KEY = "a-key-of-the-page";

    @TempDir
    private static Path directory;

    private static Browser browser;
    private static TestServer server;

    @BeforeAll
    static void start() throws Exception {
        Optional<Path> command = Browser.command();
        assumeTrue(command.isPresent(), "no chromium or google-chrome on PATH");
        server = TestServer.shared();
        Files.createDirectories(PICTURES);
        browser = Browser.start(command.get(), directory);
    }

    @AfterAll
    static void end() {
        if (browser != null) {
            browser.close();
        }
    }

    /** No page may fail in part, break its own security policy, or ask another server for anything. */
    @AfterEach
    void shouldBeContent() {
        assertEquals(List.of(), browser.complaints());
    }

    private static void open(int width, boolean dark) throws Exception {
        browser.open(server.address(), width, dark);
    }

    private static void picture(String name) throws Exception {
        browser.settle();
        browser.screenshot(PICTURES.resolve(name + ".png"), 4000);
    }

    private static int count(String selector) {
        return browser.evaluate("document.querySelectorAll(`" + selector + "`).length").getAsInt();
    }

    private static void await(String expression) throws Exception {
        for (int i = 0; i < 500 && !browser.evaluate(expression).getAsBoolean(); i++) {
            Thread.sleep(20);
        }
        assertTrue(browser.evaluate(expression).getAsBoolean(), expression);
    }

    private static void fill(String selector, String text) {
        browser.evaluate("document.querySelector(`" + selector + "`).value = " + new Gson().toJson(text));
    }

    @Test
    void shouldCompareTexts() throws Exception {
        open(DESK, false);
        assertEquals("Compare,Rerank,Chat,Attention",
                browser.evaluate("[...document.querySelectorAll('[role=tab]:not([hidden])')].map(t => t.textContent).join()")
                        .getAsString());
        fill("#compare-texts", "I forgot my login\n<img src=x onerror=alert(1)>\nThe weather is nice today");
        browser.click("#compare button.main");
        await("document.querySelectorAll('#compare .bars li').length === 3");
        assertEquals("I forgot my login", browser.text("#compare .bars li .text"));
        assertEquals(0, count("#compare .bars img"), "markup of a text");
        assertTrue(browser.text("#compare .bars li .figure").matches("0\\.61\\d\\d"));
        fill("#compare-texts", "");
        browser.click("#compare button.main");
        assertFalse(browser.evaluate("document.querySelector('#compare form').checkValidity()").getAsBoolean());
        fill("#compare-texts", "a\n".repeat(40));
        browser.click("#compare button.main");
        await("!document.querySelector('#error').hidden");
        assertEquals("inputs may have at most 32 texts, got 41", browser.text("#error"));
        browser.complaintsOf("413");
    }

    @Test
    void shouldRerankByKeysAlone() throws Exception {
        open(DESK, true);
        browser.evaluate("document.querySelector('#tab-compare').focus()");
        browser.press("End");
        assertEquals("tab-attention", browser.evaluate("document.activeElement.id").getAsString());
        browser.press("ArrowRight", "ArrowLeft", "Home", "ArrowRight");
        assertEquals("tab-rerank", browser.evaluate("document.activeElement.id").getAsString());
        fill("#rerank-query", "w1 w2");
        fill("#rerank-texts", "w3\nw4 w5\nw6");
        browser.press("Tab", "Tab", "Tab", "Tab", "Enter");
        await("document.querySelectorAll('#rerank .bars li').length === 3");
        fill("#rerank-texts", "w3");
        browser.evaluate("document.querySelector('#rerank-texts').dispatchEvent("
                + "new KeyboardEvent('keydown', {key: 'Enter', ctrlKey: true, bubbles: true}))");
        await("document.querySelectorAll('#rerank .bars li').length === 1");
        picture("rerank-1280-dark");
    }

    @Test
    void shouldChatAndStop() throws Exception {
        open(POCKET, false);
        browser.tap("#tab-chat");
        fill("#chat-text", "w1 w2 <b>w3</b>");
        fill("#chat-tokens", "40");
        browser.tap("#chat button.main");
        await("document.querySelector('#chat .figures').textContent.includes('40 written')");
        assertEquals("w1 w2 <b>w3</b>", browser.text("#talk .user"));
        assertEquals(0, count("#talk b"));
        assertEquals(40, browser.text("#talk .assistant").split(" ").length);
        picture("chat-390-light");
        browser.tap("#chat-attention");
        await("document.querySelectorAll('#tokens button').length === 43"); // 3 words and 40
        assertEquals("writer", browser.evaluate("document.querySelector('#attention form select').value").getAsString());
        assertTrue(browser.text("#strongest").matches("w\\d+ attends to .*"), "the last token");
        assertEquals("rgba(0, 0, 0, 0)", colour(3, 2), "a language model does not look ahead");
        picture("chat-attention-390-light");
        browser.evaluate("(s => { s.value = '0'; s.dispatchEvent(new Event('change')); })(document.querySelector('#attention-head'))");
        await("document.querySelector('#attention button.main').disabled === false");
        assertEquals(43, count("#tokens button"));
        browser.tap("#tab-chat");
        fill("#chat-text", "w1");
        browser.evaluate("document.querySelector('#chat-tokens').removeAttribute('max')");
        fill("#chat-tokens", "30000");
        browser.tap("#chat button.main");
        await("document.querySelector('#talk .assistant:last-child')?.textContent.length > 20");
        browser.tap("#chat button.main");
        await("document.querySelector('#chat button.main').textContent === 'Send'");
        for (int i = 0; i < 500 && server.server.load()[1] > 0; i++) {
            Thread.sleep(10);
        }
        assertEquals(0, server.server.load()[1], "the model still writes");
        browser.tap("#chat-clear");
        assertEquals(0, count("#talk p"));
    }

    @Test
    void shouldShowWhatAModelThinks() throws Exception {
        try (TestServer thinker = ThoughtsTest.server(directory.resolve("thinker"))) {
            for (boolean dark : new boolean[] {false, true}) {
                browser.open(thinker.address(), dark ? DESK : POCKET, dark);
                fill("#chat-text", "Hello");
                browser.click("#chat button.main");
                await("document.querySelector('#chat .figures').textContent.includes('written')");
                assertEquals("hm well", browser.text("#talk .thinking"));
                assertEquals("Gladly", browser.text("#talk .assistant"));
                picture("chat-thoughts-" + (dark ? "1280-dark" : "390-light"));
                fill("#chat-text", "earlier");
                browser.click("#chat button.main");
                await("document.querySelectorAll('#talk .assistant').length === 2 && !document.querySelector('#talk .writing')");
                assertEquals("again", browser.text("#talk .assistant:last-child"));
                assertEquals(1, count("#talk .thinking"));
            }
        }
    }

    /** The colour of a cell of the map, of two tokens. */
    private static String colour(int key, int query) {
        return browser.evaluate("(m => { const d = m.getContext('2d').getImageData(" + (key * 22 + 10) + ", " + (query * 22 + 10)
                + ", 1, 1).data; return `rgba(${[...d].join(', ')})`; })(document.querySelector('#map'))").getAsString();
    }

    @Test
    void shouldSayWhenThereIsNothingToTry() throws Exception {
        try (var own = TestServer.start(TestServer.options(), List.of(TestServer.models().resolve("labels").toString()))) {
            browser.open(own.address(), POCKET, false);
            await("document.querySelector('#served').textContent.includes('labels (classification). This page tries')");
            assertEquals(0, count("[role=tabpanel]:not([hidden])"));
        }
    }

    @Test
    void shouldShowWhatTokensAttendTo() throws Exception {
        open(DESK, false);
        browser.click("#tab-attention");
        browser.click("#attention button.main");
        await("document.querySelectorAll('#tokens button').length > 8");
        assertEquals("[CLS]", browser.text("#tokens button:nth-of-type(1)"));
        browser.click("#tokens button:nth-of-type(3)");
        String first = browser.text("#strongest");
        assertTrue(first.matches("fluffy attends to .* 0\\.\\d{3}.*"), first);
        browser.evaluate("document.querySelector('#tokens button:nth-of-type(3)').focus()");
        browser.press("ArrowRight");
        assertTrue(browser.text("#strongest").startsWith("blue attends to"));
        browser.evaluate("(s => { s.value = '2'; s.dispatchEvent(new Event('change')); })(document.querySelector('#attention-layer'))");
        String second = browser.text("#strongest");
        for (int i = 0; i < 500 && browser.text("#strongest").equals(second); i++) {
            Thread.sleep(20);
        }
        assertTrue(browser.text("#strongest").startsWith("blue attends to"), "another layer, the same token");
        picture("attention-1280-light");
    }

    @Test
    void shouldAskForAKey() throws Exception {
        try (TestServer closed = TestServer.start(TestServer.options().withApiKeys(List.of(KEY)), List.of(TestServer.EMBEDDER))) {
            browser.open(closed.address(), POCKET, true);
            assertTrue(browser.evaluate("document.querySelector('#key').hidden === false").getAsBoolean());
            assertTrue(browser.evaluate("document.querySelector('#error').hidden").getAsBoolean(), "nothing is wrong yet");
            picture("key-390-dark");
            fill("#key-value", KEY);
            browser.tap("#key button");
            await("!document.querySelector('#compare').hidden && document.querySelector('#key').hidden");
            browser.complaintsOf("401");
        }
    }

    @Test
    void shouldFitEveryScreen() throws Exception {
        for (int width : new int[] {POCKET, DESK}) {
            for (boolean dark : new boolean[] {false, true}) {
                open(width, dark);
                String name = width + (dark ? "-dark" : "-light");
                browser.click("#compare button.main");
                await("document.querySelectorAll('#compare .bars li').length === 5");
                assertFits();
                picture("compare-" + name);
                browser.click("#tab-rerank");
                browser.click("#rerank button.main");
                await("document.querySelectorAll('#rerank .bars li').length === 3");
                assertFits();
                picture("rerank-" + name);
                browser.click("#tab-chat");
                assertFits();
                fill("#chat-text", "w1 w2");
                fill("#chat-tokens", "30");
                browser.click("#chat button.main");
                await("document.querySelector('#chat .figures').textContent.includes('written')");
                picture("chat-" + name);
                browser.click("#chat-attention");
                await("document.querySelectorAll('#tokens button').length === 32");
                assertFits();
                picture("chat-attention-" + name);
                fill("#attention-text", "A fluffy blue creature roamed the verdant forest.");
                browser.evaluate("(f => { f.querySelector('select').selectedIndex = 0;"
                        + " f.querySelector('select').dispatchEvent(new Event('change')); })(document.querySelector('#attention form'))");
                browser.click("#attention button.main");
                await("document.querySelectorAll('#tokens button').length > 8");
                assertFits();
                picture("attention-" + name);
            }
        }
    }

    private static void assertFits() {
        assertTrue(browser.evaluate("document.documentElement.scrollWidth <= innerWidth").getAsBoolean(), "wider than the screen");
        assertEquals("", browser.evaluate("[...document.querySelectorAll('button, select, input, textarea')].filter(e =>"
                + " e.offsetParent && e.getBoundingClientRect().height < 40).map(e => e.outerHTML).join('\\n')").getAsString(),
                "too small for fingers");
    }
}
