package dev.fovea.internal.host;

import dev.fovea.internal.backend.CacheStore;
import dev.fovea.internal.backend.Execution;
import dev.fovea.internal.backend.LoweredPlan;
import dev.fovea.internal.backend.Program;
import dev.fovea.internal.backend.Step;
import dev.fovea.internal.lifetime.Owner;
import java.util.List;

/** A plan whose weights are packed for the kernels of one host device. */
final class HostProgram implements Program {
    private final HostDevice device;
    private final LoweredPlan plan;
    private final HostConstants constants;
    private final Owner owner;

    private HostProgram(HostDevice device, LoweredPlan plan, HostConstants constants, Owner owner) {
        this.device = device;
        this.plan = plan;
        this.constants = constants;
        this.owner = owner;
    }

    static HostProgram compile(HostDevice device, LoweredPlan plan) {
        return Owner.create("program", owner ->
                new HostProgram(device, plan, HostConstants.prepare(device, plan, owner.arena()), owner));
    }

    @Override
    public Execution newExecution(int maxTokens, int maxSequences, List<CacheStore> caches, boolean explaining) {
        device.enter();
        try {
            return Owner.create("execution", run ->
                    new HostExecution(this, run, maxTokens, maxSequences, caches, explaining));
        } finally {
            device.exit();
        }
    }

    @Override
    public boolean takesSpans() {
        return plan.steps().stream().noneMatch(Step.MatMul.class::isInstance);
    }

    HostDevice device() {
        return device;
    }

    LoweredPlan plan() {
        return plan;
    }

    HostConstants constants() {
        return constants;
    }

    @Override
    public long weightBytes() {
        return constants.packedBytes();
    }

    @Override
    public long bytes() {
        return constants.bytes();
    }

    @Override
    public void close() {
        owner.close();
    }
}
