package dev.fovea.internal.flight;

import java.util.Optional;
import jdk.jfr.FlightRecorder;

/**
 * Whether a flight recording may want to know. Events are classes of the module {@code jdk.jfr}, which an image may lack:
 * no one touches them before {@link #isOn} has said yes. So a JVM that does not record loads none of them.
 */
public final class FlightRecording {
    private static final boolean IS_THERE = isThere();

    private FlightRecording() {}

    /** Without a lambda, which a start would pay for. */
    private static boolean isThere() {
        Optional<Module> module = ModuleLayer.boot().findModule("jdk.jfr");
        return module.isPresent() && FlightRecording.class.getModule().canRead(module.get());
    }

    /** Whether the JVM has ever begun to record. */
    public static boolean isOn() {
        return IS_THERE && FlightRecorder.isInitialized();
    }
}
