package dev.fovea.internal.flight;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** A call of an encoder. */
@Name("dev.fovea.Encode")
@Label("Encode")
@Description("Texts, pairs or sequences of token ids went through an encoder")
@Category("Fovea")
@StackTrace(false)
public final class EncodeEvent extends Event {
    @Label("Model")
    public String model;

    @Label("Sequences")
    public int sequences;

    @Label("Tokens")
    public long tokens;

    @Label("Time in the Queue")
    @Description("From the call to the beginning of its work, before this event begins")
    @Timespan(Timespan.NANOSECONDS)
    public long queueTime;

    @Label("Failure")
    @Description("What the caller got in place of a result")
    public String failure;
}
