package dev.fovea.model;

import dev.fovea.Engine;
import dev.fovea.model.generation.TokenWriter;
import java.util.function.Function;

/** What of a language model computes. It knows tokens, not texts. */
sealed interface AnswerModel permits GeneratorModel, SourceModel {
    Engine engine();

    /** What it takes of memory now. */
    MemoryUse memory();

    /** It is loaded. */
    void tell(WatchedLoad load);

    /** Tokens of the longest prompt. */
    int context();

    /** Token ids are below it. */
    int vocabulary();

    /** Tokens of the longest answer to a prompt. */
    int room(int promptTokens);

    /** Lets what writes answers work on one. */
    <R> R write(Function<TokenWriter, R> work);
}
