package dev.fovea.internal.flight;

import jdk.jfr.FlightRecorder;

/**
 * Whether a flight recording may want to know. Events are classes of the module {@code jdk.jfr}, which an image may lack:
 * no one touches them before {@link #isOn} has said yes. So a JVM that does not record loads none of them.
 */
public final class FlightRecording {
    private static final boolean IS_THERE = ModuleLayer.boot().findModule("jdk.jfr")
            .map(FlightRecording.class.getModule()::canRead).orElse(false);

    private FlightRecording() {}

    /** Whether the JVM has ever begun to record. */
    public static boolean isOn() {
        return IS_THERE && FlightRecorder.isInitialized();
    }
}
