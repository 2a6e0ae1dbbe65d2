package dev.fovea;

import dev.fovea.internal.backend.Device;
import java.lang.foreign.Arena;

/** Asks for the Vector API where it may be missing, then for plain Java. */
final class AskForVector {
    private AskForVector() {}

    public static void main(String[] args) {
        EngineOptions options = EngineOptions.defaults();
        System.out.println("reason: " + Engine.unavailable(Backend.VECTOR).orElse("none"));
        try (Engine engine = Engine.create(options.withBackend(Backend.VECTOR))) {
            System.out.println("created: " + engine.isa());
        } catch (UnsupportedOperationException e) {
            System.out.println("refused: " + e.getMessage());
        }
        try (Engine engine = Engine.create(options.withBackend(Backend.JAVA)); Arena arena = Arena.ofConfined()) {
            Device.of(engine).attention(arena);
            System.out.println("kernels: " + engine.backend());
        }
    }
}
