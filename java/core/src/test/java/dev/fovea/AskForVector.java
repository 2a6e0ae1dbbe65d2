package dev.fovea;

import dev.fovea.internal.kernels.KernelEngine;
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
            System.out.println("kernels: " + KernelEngine.of(engine).kernels(arena).backend());
        }
    }
}
