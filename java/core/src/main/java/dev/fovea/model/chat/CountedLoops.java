package dev.fovea.model.chat;

import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.tag.ForTag;
import com.hubspot.jinjava.tree.TagNode;

/** Loops of templates, of which so many run that one in another may not take all time. */
final class CountedLoops extends ForTag {
    private static final long serialVersionUID = 1;
    private static final int MAX_LOOPS = 1 << 14;
    private static final ThreadLocal<int[]> COUNT = ThreadLocal.withInitial(() -> new int[1]);

    /** Begins a text. */
    static void start() {
        COUNT.get()[0] = 0;
    }

    @Override
    public String interpret(TagNode node, JinjavaInterpreter interpreter) {
        if (++COUNT.get()[0] > MAX_LOOPS) {
            throw new JinjaTemplate.Refusal("it runs more than " + MAX_LOOPS + " loops");
        }
        return super.interpret(node, interpreter);
    }
}
