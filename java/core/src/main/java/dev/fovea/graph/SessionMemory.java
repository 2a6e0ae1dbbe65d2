package dev.fovea.graph;

import java.util.concurrent.atomic.AtomicLong;

/** What the open sessions of a plan take, in bytes. Changes when one is opened, grows or is closed, never in a run. */
final class SessionMemory {
    private final AtomicLong workspace = new AtomicLong();
    private final AtomicLong caches = new AtomicLong();

    /** Adds bytes, or takes them away. */
    void add(long workspaceBytes, long cacheBytes) {
        workspace.addAndGet(workspaceBytes);
        caches.addAndGet(cacheBytes);
    }

    long workspace() {
        return workspace.get();
    }

    long caches() {
        return caches.get();
    }
}
