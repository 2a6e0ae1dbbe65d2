package dev.fovea.flink;

import java.io.IOException;
import java.util.Collection;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.functions.AsyncPredictFunction;
import org.apache.flink.table.functions.FunctionContext;

/** Many rows of a task at a time, which share batches. */
public final class FoveaAsyncPredictFunction extends AsyncPredictFunction {
    private static final long serialVersionUID = 1;

    private final ModelSettings settings;
    private transient SharedModels.Hold model;

    FoveaAsyncPredictFunction(ModelSettings settings) {
        this.settings = settings;
    }

    @Override
    public void open(FunctionContext context) throws IOException {
        model = SharedModels.hold(settings);
    }

    @Override
    public CompletableFuture<Collection<RowData>> asyncPredict(RowData texts) {
        return model.predict(texts);
    }

    @Override
    public void close() {
        if (model != null) {
            model.close();
        }
    }
}
