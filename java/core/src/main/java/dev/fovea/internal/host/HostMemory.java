package dev.fovea.internal.host;

import dev.fovea.internal.backend.DeviceMemory;
import dev.fovea.internal.lifetime.Owner;
import java.lang.foreign.MemorySegment;

/** Memory of a device that is the host itself; only host backends look inside. */
final class HostMemory implements DeviceMemory {
    private final MemorySegment segment;
    private final Owner owner;

    private HostMemory(Owner owner, MemorySegment segment) {
        this.owner = owner;
        this.segment = segment;
    }

    static HostMemory allocate(HostDevice device, long bytes) {
        return Owner.create("device memory",
                owner -> new HostMemory(owner, device.allocate(owner.arena(), bytes)));
    }

    /** The segment behind memory of a host backend. */
    static MemorySegment segment(DeviceMemory memory) {
        return ((HostMemory) memory).segment;
    }

    @Override
    public long address() {
        return segment.address();
    }

    @Override
    public long bytes() {
        return segment.byteSize();
    }

    @Override
    public void close() {
        owner.close();
    }
}
