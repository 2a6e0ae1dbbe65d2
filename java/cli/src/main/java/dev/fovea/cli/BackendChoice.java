package dev.fovea.cli;

import dev.fovea.Backend;
import dev.fovea.Engine;
import java.util.Arrays;
import java.util.function.Predicate;
import java.util.stream.Stream;
import picocli.CommandLine.ITypeConverter;

/** What {@code --backend} names: a backend or, where {@code named} is null, {@code auto}. */
record BackendChoice(Backend named) {
    private static final String AUTO = "auto";

    /** The one that is named, or what {@code auto} takes here. */
    Backend backend() {
        return named != null ? named : automatic(backend -> Engine.unavailable(backend).isEmpty());
    }

    /** The first of CUDA, native and Java that {@code works}; Java always does. */
    static Backend automatic(Predicate<Backend> works) {
        return Stream.of(Backend.CUDA, Backend.NATIVE).filter(works).findFirst().orElse(Backend.JAVA);
    }

    /** Reads {@code native}, {@code java}, {@code vector}, {@code cuda} or {@code auto}. */
    static final class Converter implements ITypeConverter<BackendChoice> {
        @Override
        public BackendChoice convert(String value) {
            if (value.equals(AUTO)) {
                return new BackendChoice(null);
            }
            for (Backend backend : Backend.values()) {
                if (LowerCaseEnum.spelling(backend).equals(value)) {
                    return new BackendChoice(backend);
                }
            }
            throw LowerCaseEnum.unknown(Stream.concat(
                    Arrays.stream(Backend.values()).map(LowerCaseEnum::spelling), Stream.of(AUTO)).toList(), value);
        }
    }
}
