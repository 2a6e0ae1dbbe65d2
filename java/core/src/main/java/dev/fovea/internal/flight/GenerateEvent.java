package dev.fovea.internal.flight;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** An answer of a language model. */
@Name("dev.fovea.Generate")
@Label("Generate")
@Description("A language model answered")
@Category("Fovea")
@StackTrace(false)
public final class GenerateEvent extends Event {
    @Label("Model")
    public String model;

    @Label("Tokens of the Prompt")
    public int promptTokens;

    @Label("Tokens Kept")
    @Description("Tokens of the prompt that were in memory from the call before")
    public int keptTokens;

    @Label("Tokens Written")
    public int writtenTokens;

    @Label("Time in the Queue")
    @Description("From the call to the beginning of its work, before this event begins")
    @Timespan(Timespan.NANOSECONDS)
    public long queueTime;

    @Label("Time to First Token")
    @Timespan(Timespan.NANOSECONDS)
    public long firstTokenTime;

    @Label("Failure")
    @Description("What the caller got in place of a result")
    public String failure;
}
