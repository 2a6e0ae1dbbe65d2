package dev.fovea.model.family;

import dev.fovea.ops.Rope;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What turns the queries and keys of a {@link Description}. */
final class Rotations {
    private Rotations() {}

    /** For the layers in turn, null for those without; empty without RoPE. Layers that turn alike share a table. */
    static List<Rope> of(Description d) {
        // A switch over patterns would make a class, which a cold JVM takes milliseconds for.
        List<? extends Positions> kinds = d.positions() instanceof Positions.RotaryInTurn turns ? turns.kinds()
                : d.positions() instanceof Positions.Rotary rotary ? List.of(rotary) : List.of();
        Map<Positions, Rope> made = new HashMap<>();
        List<Rope> ropes = new ArrayList<>();
        for (Positions kind : kinds) {
            ropes.add(kind instanceof Positions.Rotary rotary
                    ? made.computeIfAbsent(rotary, _ -> of(rotary, d.maxTokens())) : null);
        }
        return ropes;
    }

    private static Rope of(Positions.Rotary rotary, int positions) {
        RopeScaling scaling = rotary.scaling();
        return Rope.ofFrequencies(rotary.pairing(), scaling.frequencies(rotary.theta(), rotary.dim()),
                scaling.attentionFactor(), positions);
    }
}
