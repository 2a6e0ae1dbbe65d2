package dev.fovea.flink;

import java.io.IOException;
import java.util.Collection;
import java.util.concurrent.CompletionException;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.PredictFunction;

/** Row by row: a task waits for each, while other tasks' rows run beside. */
public final class FoveaPredictFunction extends PredictFunction {
    private static final long serialVersionUID = 1;

    private final ModelSettings settings;
    private transient SharedModels.Hold model;

    FoveaPredictFunction(ModelSettings settings) {
        this.settings = settings;
    }

    @Override
    public void open(FunctionContext context) throws IOException {
        model = SharedModels.hold(settings);
    }

    /** @throws RuntimeException as the library's method does for one text */
    @Override
    public Collection<RowData> predict(RowData texts) {
        try {
            return model.predict(texts).join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }

    @Override
    public void close() {
        if (model != null) {
            model.close();
        }
    }
}
