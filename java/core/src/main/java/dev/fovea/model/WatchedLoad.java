package dev.fovea.model;

import dev.fovea.Engine;
import dev.fovea.graph.Plan;
import dev.fovea.internal.flight.FlightRecording;
import dev.fovea.internal.flight.LoadEvent;
import dev.fovea.weights.Weights;
import java.nio.file.Path;

/** What the load of a model tells flight recordings; nothing where none wants to know. */
final class WatchedLoad {
    /** Null where no one records. */
    private final LoadEvent event;

    private WatchedLoad(LoadEvent event) {
        this.event = event;
    }

    /** A load begins. */
    static WatchedLoad begin(String name, Path path) {
        WatchedLoad load = begin(name);
        load.at(path);
        return load;
    }

    /** A load begins, of a model that is yet to be found. */
    static WatchedLoad begin(String name) {
        if (!FlightRecording.isOn()) {
            return new WatchedLoad(null);
        }
        var event = new LoadEvent();
        event.model = name;
        event.begin();
        return new WatchedLoad(event);
    }

    /** The model is in this directory or file. */
    void at(Path path) {
        if (event != null) {
            event.path = path.toString();
        }
    }

    /** The model is there. */
    void done(Engine engine, Plan plan, Weights file) {
        if (event != null) {
            done(engine, MemoryUse.of(plan, file));
        }
    }

    /** The model is there, and takes this. */
    void done(Engine engine, MemoryUse memory) {
        if (event != null) {
            event.end();
            event.engine = engine.toString();
            event.weights = memory.weights();
            event.mapped = memory.mapped();
            event.commit();
        }
    }

    /** There is none. */
    void failed(Throwable failure) {
        if (event != null) {
            event.end();
            event.failure = failure.toString();
            event.commit();
        }
    }
}
