package dev.fovea.testing;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** A headless Chromium with one page, driven over the Chrome DevTools protocol. */
public final class Browser implements AutoCloseable {
    private static final int SECONDS = 60;

    private final Process process;
    private final HttpClient client = HttpClient.newHttpClient();
    private final AtomicInteger ids = new AtomicInteger();
    private final Map<Integer, CompletableFuture<JsonObject>> replies = new ConcurrentHashMap<>();
    private final List<String> complaints = Collections.synchronizedList(new ArrayList<>());
    private final WebSocket socket;
    private volatile String home = "about:blank";

    private Browser(Process process, Path portFile) throws Exception {
        this.process = process;
        await("the browser's port", () -> Files.exists(portFile) && portFile.toFile().length() > 0);
        String port = Files.readAllLines(portFile).getFirst();
        await("the browser's page", () -> page(port).isPresent());
        socket = client.newWebSocketBuilder().buildAsync(URI.create(page(port).orElseThrow()), new Replies())
                .get(SECONDS, TimeUnit.SECONDS);
        for (String domain : List.of("Page", "Runtime", "Log", "Network")) {
            send(domain + ".enable", Map.of());
        }
    }

    /** The address of the page's debugger, once there is a page. */
    private Optional<String> page(String port) {
        try {
            URI list = URI.create("http://127.0.0.1:" + port + "/json/list");
            String targets = client.send(HttpRequest.newBuilder(list).build(), BodyHandlers.ofString()).body();
            return JsonParser.parseString(targets).getAsJsonArray().asList().stream()
                    .map(JsonElement::getAsJsonObject)
                    .filter(target -> target.get("type").getAsString().equals("page"))
                    .map(target -> target.get("webSocketDebuggerUrl").getAsString())
                    .findFirst();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError("the browser does not answer", e);
        }
    }

    /** The browser's command, if there is one on PATH. */
    public static Optional<Path> command() {
        return Stream.of("chromium", "chromium-browser", "google-chrome", "chrome")
                .flatMap(name -> Stream.of(System.getenv("PATH").split(File.pathSeparator))
                        .map(folder -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /** Starts {@code command} with its files under {@code directory}. */
    public static Browser start(Path command, Path directory) throws Exception {
        Path profile = directory.resolve("profile");
        Process process = new ProcessBuilder(command.toString(), "--headless", "--no-sandbox", "--disable-gpu",
                        "--hide-scrollbars", "--remote-debugging-port=0", "--user-data-dir=" + profile, "about:blank")
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("browser.log").toFile())
                .start();
        try {
            return new Browser(process, profile.resolve("DevToolsActivePort"));
        } catch (Exception | Error e) {
            end(process);
            throw e;
        }
    }

    /** Opens an address in a window of this width, on light or dark paper, and waits until the page is ready. */
    public void open(String address, int width, boolean dark) throws Exception {
        boolean phone = width < 600;
        send("Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", phone ? 844 : 900, "deviceScaleFactor", 1, "mobile", phone));
        send("Emulation.setTouchEmulationEnabled", Map.of("enabled", phone));
        JsonObject feature = new JsonObject();
        feature.addProperty("name", "prefers-color-scheme");
        feature.addProperty("value", dark ? "dark" : "light");
        JsonArray features = new JsonArray();
        features.add(feature);
        send("Emulation.setEmulatedMedia", Map.of("features", features));
        send("Page.navigate", Map.of("url", "about:blank"));
        complaints.clear();
        home = address;
        send("Page.navigate", Map.of("url", address));
        await("the page", () -> evaluate("document.documentElement?.dataset.ready === 'true'").getAsBoolean());
        settle();
    }

    /** The value of an expression; a promise's once it is kept. */
    public JsonElement evaluate(String expression) {
        JsonObject reply = send("Runtime.evaluate",
                Map.of("expression", expression, "returnByValue", true, "awaitPromise", true));
        if (reply.has("exceptionDetails")) {
            throw new AssertionError(expression + ": " + reply);
        }
        JsonElement value = reply.getAsJsonObject("result").get("value");
        return value == null ? JsonNull.INSTANCE : value;
    }

    /** The text of an element. */
    public String text(String selector) {
        return evaluate("document.querySelector(`" + selector + "`).innerText").getAsString();
    }

    /** Waits for two frames, after which what was changed is drawn. */
    public void settle() {
        evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))");
    }

    /** Moves the mouse to the middle of an element. */
    public void hover(String selector) {
        double[] point = middle(selector);
        mouse("mouseMoved", point, "none", 0);
        settle();
    }

    /** Moves the mouse to a point of an element, in pixels from its corner. */
    public void hover(String selector, double x, double y) {
        JsonObject box = box(selector);
        double[] point = {box.get("left").getAsDouble() + x, box.get("top").getAsDouble() + y};
        mouse("mouseMoved", point, "none", 0);
        settle();
    }

    /** Presses and releases the left button in the middle of an element. */
    public void click(String selector) {
        double[] point = middle(selector);
        mouse("mouseMoved", point, "none", 0);
        mouse("mousePressed", point, "left", 1);
        mouse("mouseReleased", point, "left", 1);
        settle();
    }

    /** Touches the middle of an element with a finger. */
    public void tap(String selector) {
        double[] point = middle(selector);
        JsonObject finger = new JsonObject();
        finger.addProperty("x", point[0]);
        finger.addProperty("y", point[1]);
        JsonArray fingers = new JsonArray();
        fingers.add(finger);
        send("Input.dispatchTouchEvent", Map.of("type", "touchStart", "touchPoints", fingers));
        send("Input.dispatchTouchEvent", Map.of("type", "touchEnd", "touchPoints", new JsonArray()));
        settle();
    }

    /** Presses keys, such as {@code ArrowRight}, {@code Tab}, {@code Enter}, one after the other. */
    public void press(String... keys) {
        for (String key : keys) {
            int code = switch (key) {
                case "Tab" -> 9;
                case "Enter" -> 13;
                case "Escape" -> 27;
                case "End" -> 35;
                case "Home" -> 36;
                case "ArrowLeft" -> 37;
                case "ArrowUp" -> 38;
                case "ArrowRight" -> 39;
                case "ArrowDown" -> 40;
                default -> throw new IllegalArgumentException("no such key: " + key);
            };
            String text = key.equals("Enter") ? "\r" : "";
            send("Input.dispatchKeyEvent",
                    Map.of("type", "keyDown", "key", key, "code", key, "windowsVirtualKeyCode", code, "text", text));
            send("Input.dispatchKeyEvent",
                    Map.of("type", "keyUp", "key", key, "code", key, "windowsVirtualKeyCode", code));
        }
        settle();
    }

    /** Writes a picture of the whole page, as long as it is up to {@code most} pixels. */
    public void screenshot(Path file, int most) throws IOException {
        JsonObject size =
                evaluate("({width: innerWidth, height: document.documentElement.scrollHeight})").getAsJsonObject();
        JsonObject clip = new JsonObject();
        clip.addProperty("x", 0);
        clip.addProperty("y", 0);
        clip.addProperty("width", size.get("width").getAsInt());
        clip.addProperty("height", Math.min(most, size.get("height").getAsInt()));
        clip.addProperty("scale", 1);
        String data = send("Page.captureScreenshot",
                Map.of("format", "png", "clip", clip, "captureBeyondViewport", true)).get("data").getAsString();
        Files.write(file, Base64.getDecoder().decode(data));
    }

    /** Takes back complaints about an answer of this status, which was wanted. */
    public void complaintsOf(String status) {
        assert complaints.stream().anyMatch(complaint -> complaint.contains(status)) : status + " in " + complaints;
        complaints.removeIf(complaint -> complaint.contains("status of " + status));
    }

    /** What went wrong on the page, and what it asked others for. */
    public List<String> complaints() {
        return List.copyOf(complaints);
    }

    private double[] middle(String selector) {
        evaluate("document.querySelector(`" + selector + "`).scrollIntoView({block: 'center', inline: 'center'})");
        settle();
        JsonObject box = box(selector);
        return new double[] {
            box.get("left").getAsDouble() + box.get("width").getAsDouble() / 2,
            box.get("top").getAsDouble() + box.get("height").getAsDouble() / 2
        };
    }

    private JsonObject box(String selector) {
        return evaluate("document.querySelector(`" + selector + "`).getBoundingClientRect().toJSON()")
                .getAsJsonObject();
    }

    private void mouse(String type, double[] point, String button, int clicks) {
        send("Input.dispatchMouseEvent",
                Map.of("type", type, "x", point[0], "y", point[1], "button", button, "clickCount", clicks));
    }

    private JsonObject send(String method, Map<String, Object> parameters) {
        JsonObject message = new JsonObject();
        int id = ids.incrementAndGet();
        message.addProperty("id", id);
        message.addProperty("method", method);
        message.add("params", new Gson().toJsonTree(parameters));
        CompletableFuture<JsonObject> reply = new CompletableFuture<>();
        replies.put(id, reply);
        socket.sendText(message.toString(), true).join();
        JsonObject answer = reply.orTimeout(SECONDS, TimeUnit.SECONDS).join();
        if (answer.has("error")) {
            throw new AssertionError(method + ": " + answer);
        }
        return answer.getAsJsonObject("result");
    }

    private void receive(JsonObject message) {
        if (message.has("id")) {
            replies.remove(message.get("id").getAsInt()).complete(message);
            return;
        }
        JsonObject parameters = message.getAsJsonObject("params");
        switch (message.get("method").getAsString()) {
            case "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded" ->
                    complaints.add(parameters.toString());
            case "Network.requestWillBeSent" -> {
                String url = parameters.getAsJsonObject("request").get("url").getAsString();
                if (!url.startsWith(home) && !url.equals("about:blank")) {
                    complaints.add(parameters.toString());
                }
            }
            default -> {
                // Not asked for.
            }
        }
    }

    private static void await(String what, BooleanSupplier condition) throws InterruptedException {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - start > TimeUnit.SECONDS.toNanos(SECONDS)) {
                throw new AssertionError("waited " + SECONDS + " s for " + what);
            }
            Thread.sleep(20);
        }
    }

    private static void end(Process process) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        try {
            process.waitFor(SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Asks the browser to end, so that it leaves no files behind, and sees to it. */
    @Override
    public void close() {
        send("Browser.close", Map.of());
        process.onExit().orTimeout(SECONDS, TimeUnit.SECONDS).join();
        socket.abort();
        client.close();
        end(process);
    }

    /** Puts the pieces of messages together. */
    private final class Replies implements WebSocket.Listener {
        private final StringBuilder message = new StringBuilder();

        @Override
        public CompletionStage<?> onText(WebSocket socket, CharSequence piece, boolean last) {
            message.append(piece);
            if (last) {
                receive(JsonParser.parseString(message.toString()).getAsJsonObject());
                message.setLength(0);
            }
            socket.request(1);
            return null;
        }
    }
}
