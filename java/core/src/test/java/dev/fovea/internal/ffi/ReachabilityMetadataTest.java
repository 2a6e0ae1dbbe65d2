package dev.fovea.internal.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.Backend;
import dev.fovea.internal.cuda.ffi.FoveaCudaH;
import dev.fovea.model.ModelCatalog;
import dev.fovea.model.NamedModel;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** No native-image runs here: what it needs is compared with the classes. */
class ReachabilityMetadataTest {
    private static final Path MAIN = Path.of("src", "main");

    private static final Map<Class<?>, String> TYPES = Map.of(int.class, "jint", long.class, "jlong", float.class, "jfloat",
            double.class, "jdouble", MemorySegment.class, "void*", void.class, "void");

    private static JsonObject metadata() throws IOException {
        String text = Files.readString(MAIN.resolve("resources").resolve(ReachabilityMetadata.FILE));
        assertEquals(ReachabilityMetadata.of(MAIN), text, "older than the sources: run java/core/bindings.sh");
        return JsonParser.parseString(text).getAsJsonObject();
    }

    @Test
    void shouldHaveTheSignatureOfEveryFunction() throws IOException {
        Set<JsonElement> known = elements(metadata().getAsJsonObject("foreign").getAsJsonArray("downcalls"))
                .collect(Collectors.toSet());
        Set<JsonElement> bound = new HashSet<>();
        for (Class<?> bindings : List.of(FoveaH.class, FoveaCudaH.class)) {
            Set<String> names = Arrays.stream(bindings.getDeclaredMethods())
                    .map(Method::getName)
                    .filter(name -> name.endsWith("$descriptor"))
                    .map(name -> name.substring(0, name.length() - "$descriptor".length()))
                    .collect(Collectors.toSet());
            assertFalse(names.isEmpty(), bindings.getName());
            for (Method method : bindings.getDeclaredMethods()) {
                if (names.contains(method.getName())) {
                    bound.add(signature(method));
                }
            }
        }
        // memfd_create, and dlopen, dlsym and dlerror.
        for (List<String> types : List.of(List.of("jint", "void*", "jint"), List.of("void*", "void*", "jint"),
                List.of("void*", "void*", "void*"), List.of("void*"))) {
            bound.add(JsonParser.parseString(
                    ReachabilityMetadata.signature(types.getFirst(), types.subList(1, types.size()))));
        }
        assertEquals(bound, known);
    }

    private static JsonElement signature(Method method) {
        List<String> parameters = Arrays.stream(method.getParameterTypes()).map(ReachabilityMetadataTest::type).toList();
        return JsonParser.parseString(ReachabilityMetadata.signature(type(method.getReturnType()), parameters));
    }

    private static String type(Class<?> type) {
        String name = TYPES.get(type);
        assertNotNull(name, type.getName());
        return name;
    }

    @Test
    void shouldHaveTheProviderOfEveryBackend() throws ReflectiveOperationException, IOException {
        Set<String> types = elements(metadata().getAsJsonArray("reflection"))
                .map(type -> type.getAsJsonObject().get("type").getAsString())
                .collect(Collectors.toSet());
        Method providerName = Class.forName("dev.fovea.Backends").getDeclaredMethod("providerName", Backend.class);
        providerName.setAccessible(true);
        for (Backend backend : Backend.values()) {
            Object name = providerName.invoke(null, backend);
            assertTrue(types.contains(name), () -> name + " is not in " + types);
        }
        for (String type : types) {
            Class.forName(type);
        }
    }

    @Test
    void shouldHaveTheResourcesOfCatalogAndModels() throws IOException {
        Set<String> globs = elements(metadata().getAsJsonArray("resources"))
                .map(resource -> resource.getAsJsonObject().get("glob").getAsString())
                .collect(Collectors.toSet());
        assertTrue(globs.containsAll(List.of("META-INF/fovea/**", "dev/fovea/internal/text/unicode.bin")), globs.toString());
        for (NamedModel model : ModelCatalog.models()) {
            if (model.hasArtifact()) {
                assertTrue(globs.contains(model.name() + ".onnx"), model.name());
                assertTrue(globs.contains(model.name() + "-tokenizer.json"), model.name());
                assertTrue(globs.contains("dev/fovea/model/catalog/" + model.name() + "/config.json"), model.name());
            }
        }
    }

    private static Stream<JsonElement> elements(Iterable<JsonElement> array) {
        return StreamSupport.stream(array.spliterator(), false);
    }
}
