package dev.fovea.langchain4j;

import java.util.concurrent.CompletableFuture;

/** What cancelling means. */
final class Futures {
    private Futures() {}

    /** Cancels {@code work} where {@code result}, which is made of it, is cancelled. */
    static void cancelWith(CompletableFuture<?> result, CompletableFuture<?> work) {
        result.whenComplete((_, _) -> {
            if (result.isCancelled()) {
                work.cancel(false);
            }
        });
    }
}
