package dev.fovea.internal.flight;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** A model was loaded. */
@Name("dev.fovea.Load")
@Label("Load")
@Description("A model was loaded")
@Category("Fovea")
public final class LoadEvent extends Event {
    @Label("Model")
    public String model;

    @Label("Path")
    public String path;

    @Label("Engine")
    public String engine;

    @Label("Weights")
    @Description("Weights as the device keeps them")
    @DataAmount
    public long weights;

    @Label("Mapped")
    @Description("Files that are mapped")
    @DataAmount
    public long mapped;

    @Label("Failure")
    @Description("What the caller got in place of a model")
    public String failure;
}
