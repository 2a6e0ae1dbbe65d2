package dev.fovea.internal.backend;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.fovea.internal.lifetime.Owner;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/**
 * The keys and values of all layers of some sequences that grow, in a device's pages. All layers share one page table
 * and one set of lengths:
 *
 * <pre>
 *   sequence 0   | page 3 | page 0 | page 5 .. |      a page holds the keys and values of 128 tokens, in every layer
 *   sequence 1   | page 3 | page 0 | page 1 ...... |  a fork shares its pages, until one of both writes to one
 *   sequence 2   | page 2 .. |
 * </pre>
 *
 * <p>What sequences hold may be kept, and found again by its tokens, until its room is needed.
 *
 * <p>A run that appends begins with {@link #begin}, which checks the room of all sequences before anything changes, and
 * ends with {@link #commit}, or with {@link #rollback} if it fails: so all layers grow, or none. For one thread at a
 * time. Table, lengths and ends lie in memory of the host. Kwon et al., PagedAttention, arXiv:2309.06180.
 */
public final class CacheStore {
    private final Device device;
    private final List<AttentionSpec> layers;
    private final Layout type;
    private final int sequences;
    private final int capacity;
    private final PageTable pages;
    /** Whether there may be no room for all sequences at full length. */
    private final boolean bounded;
    private final PageTable.PageCopy copy = this::copyPage;
    private final Tensor lengths;
    private final Tensor ends;
    private final int[] appended;
    /** What pages count for in the page table: those of all layers, where these lie among each other, else 1. */
    private final int step;
    private final DeviceMemory[] keys;
    private final DeviceMemory[] values;

    /** Empty sequences, with room for all of them at full length; see the other. */
    public CacheStore(Device device, Owner owner, List<AttentionSpec> layers, int sequences, int capacity,
            Layout type) {
        this(device, owner, layers, sequences, capacity, type, -1);
    }

    /**
     * Empty sequences, whose memory {@code owner} owns.
     *
     * @param layers gives key/value heads, dims and RoPE of each layer
     * @param sequences sequences that it holds at most, forks included
     * @param capacity tokens that each sequence holds at most
     * @param tokens tokens that there is room for, those of all sequences and those that are kept together; rounded up to
     *     pages, and to one page more than a sequence at full length needs; −1 for all sequences at full length
     * @throws IllegalArgumentException if a value is out of its range
     */
    public CacheStore(Device device, Owner owner, List<AttentionSpec> layers, int sequences, int capacity,
            Layout type, long tokens) {
        CacheSizes.require(device.backend(), layers, sequences, capacity, type);
        this.device = device;
        this.layers = List.copyOf(layers);
        this.type = type;
        this.sequences = sequences;
        this.capacity = capacity;
        Arena arena = owner.arena();
        int pagesEach = Math.ceilDiv(capacity, PageTable.PAGE_KEYS);
        long enough = (long) sequences * pagesEach;
        long wanted = tokens < 0 ? enough : Math.max(Math.ceilDiv(tokens, PageTable.PAGE_KEYS), pagesEach + 1L);
        if (wanted > Integer.MAX_VALUE / PageTable.PAGE_KEYS) {
            throw new IllegalArgumentException("expected room for at most " + Integer.MAX_VALUE + " tokens, got " + tokens);
        }
        this.bounded = wanted < enough;
        this.step = mixed(wanted) ? 2 * layers.size() : 1;
        this.pages = new PageTable(arena, sequences, pagesEach, (int) wanted, step);
        this.lengths = Tensor.allocate(arena, DType.I32, Shape.of(sequences));
        this.ends = Tensor.allocate(arena, DType.I32, Shape.of(sequences + 1L));
        this.appended = new int[sequences];
        this.keys = new DeviceMemory[layers.size()];
        this.values = new DeviceMemory[layers.size()];
        if (step > 1) {
            DeviceMemory all = owner.own(device.allocate(pages.count() * pageBytes()));
            Arrays.fill(keys, all);
            Arrays.fill(values, all);
            return;
        }
        for (int i = 0; i < keys.length; i++) {
            keys[i] = owner.own(device.allocate(pages.count() * keyBytes(i)));
            values[i] = owner.own(device.allocate(pages.count() * valueBytes(i)));
        }
    }

    /** Whether the keys and values of all layers can lie page by page, so that memory is touched as far as it is used. */
    private boolean mixed(long count) {
        if (!device.mixesLayers() || layers.isEmpty() || count * 2 * layers.size() > Integer.MAX_VALUE) {
            return false;
        }
        for (int i = 0; i < layers.size(); i++) {
            if (keyBytes(i) != keyBytes(0) || valueBytes(i) != keyBytes(0)) {
                return false;
            }
        }
        return true;
    }

    private long pageBytes(int layer, int dim) {
        return (long) layers.get(layer).kvHeads() * PageTable.PAGE_KEYS * CachePages.rowBytes(type, dim);
    }

    /** Bytes of a page's keys in a layer. */
    private long keyBytes(int layer) {
        return pageBytes(layer, layers.get(layer).headDim());
    }

    private long valueBytes(int layer) {
        return pageBytes(layer, layers.get(layer).valueDim());
    }

    /** The device whose memory it takes. */
    public Device device() {
        return device;
    }

    /** What each layer is made for. */
    public List<AttentionSpec> layers() {
        return layers;
    }

    /** What keys and values are kept as. */
    public Layout type() {
        return type;
    }

    /** Sequences that it holds at most. */
    public int sequences() {
        return sequences;
    }

    /** Tokens that each sequence holds at most. */
    public int capacity() {
        return capacity;
    }

    /** Bytes of keys and values. */
    public long bytes() {
        return pages.count() * pageBytes();
    }

    /** Pages of each layer, as the {@link #pageTable} numbers them. */
    public int pageCount() {
        return (pages.count() - 1) * step + 1;
    }

    /** I32 [sequences, pages each], the pages of each sequence as the memory of a layer from its start on numbers them. */
    public Tensor pageTable() {
        return pages.table();
    }

    /** I32 [sequences], the tokens that each sequence held before a run that appends. */
    public Tensor lengths() {
        return lengths;
    }

    /** I32 [sequences + 1], as offsets: the tokens that sequences hold, with those that a run appends. */
    public Tensor ends() {
        return ends;
    }

    /**
     * The keys of a layer from {@link #keyStart} on, [pages, kv_heads, 128, head_dim] of {@link #type}; see {@link
     * CachePages}. Pages of other layers, and of values, may lie between them.
     */
    public DeviceMemory keys(int layer) {
        return keys[layer];
    }

    /** The byte that the keys of a layer begin at. */
    public long keyStart(int layer) {
        return step == 1 ? 0 : 2 * layer * keyBytes(0);
    }

    /** The values of a layer from {@link #valueStart} on, [pages, kv_heads, 128, value_dim]; likewise. */
    public DeviceMemory values(int layer) {
        return values[layer];
    }

    /** The byte that the values of a layer begin at. */
    public long valueStart(int layer) {
        return step == 1 ? 0 : (2 * layer + 1) * keyBytes(0);
    }

    /** Tokens that a sequence holds. */
    public int length(int sequence) {
        return lengths.segment().getAtIndex(JAVA_INT, sequence);
    }

    /**
     * Makes room for the tokens of a batch behind what the sequences hold.
     *
     * @throws IllegalArgumentException if a sequence has no room for them; nothing has changed then
     */
    public void begin(Batch batch) {
        for (int s = 0; s < batch.sequences(); s++) {
            int tokens = batch.length(s);
            if (tokens > capacity - length(s)) {
                throw new IllegalArgumentException("sequence " + s + " holds " + length(s)
                        + " tokens of a capacity of " + capacity + ", got " + tokens + " more");
            }
        }
        if (bounded) {
            requirePages(batch);
        }
        for (int s = 0; s < batch.sequences(); s++) {
            appended[s] = batch.length(s);
            pages.reserve(s, length(s), appended[s], copy);
        }
        sumUp();
    }

    private void requirePages(Batch batch) {
        int missing = 0;
        for (int s = 0; s < batch.sequences(); s++) {
            missing += pages.missing(s, length(s), batch.length(s));
        }
        int available = missing == 0 ? 0 : pages.available();
        if (missing > available) {
            throw new IllegalStateException("the caches have room for " + (long) available * PageTable.PAGE_KEYS
                    + " tokens more, in pages of " + PageTable.PAGE_KEYS + ", got a batch that takes "
                    + (long) missing * PageTable.PAGE_KEYS);
        }
    }

    /** The most pages that a sequence takes to grow by some tokens. */
    public int missingPages(int sequence, int tokens) {
        return pages.missing(sequence, length(sequence), tokens);
    }

    /** Pages that are left for sequences that grow. */
    public int availablePages() {
        return pages.available();
    }

    /** Bytes of a page's keys and values, of all layers. */
    public long pageBytes() {
        long bytes = 0;
        for (int i = 0; i < keys.length; i++) {
            bytes += keyBytes(i) + valueBytes(i);
        }
        return bytes;
    }

    /**
     * Copies a page of a sequence to memory of the host, layer by layer, keys before values. What lies behind the sequence's
     * tokens is 0.
     *
     * @param target {@link #pageBytes()} bytes
     */
    public void readPage(int sequence, int index, MemorySegment target) {
        int page = pages.page(sequence, index);
        int tokens = Math.min(PageTable.PAGE_KEYS, length(sequence) - index * PageTable.PAGE_KEYS);
        long at = 0;
        for (int i = 0; i < keys.length; i++) {
            at = readPage(i, keys[i], keyStart(i), layers.get(i).headDim(), page, tokens, target, at);
            at = readPage(i, values[i], valueStart(i), layers.get(i).valueDim(), page, tokens, target, at);
        }
    }

    private long readPage(int layer, DeviceMemory memory, long start, int dim, int page, int tokens, MemorySegment target,
            long at) {
        long bytes = pageBytes(layer, dim);
        device.download(memory, start + page * step * bytes, target.asSlice(at, bytes));
        long row = CachePages.rowBytes(type, dim);
        for (int head = 0; head < layers.get(layer).kvHeads(); head++) {
            long first = at + (head * (long) PageTable.PAGE_KEYS + tokens) * row;
            target.asSlice(first, (PageTable.PAGE_KEYS - tokens) * row).fill((byte) 0);
        }
        return at + bytes;
    }

    /**
     * Appends what {@link #readPage} gave to a sequence, which holds whole pages.
     *
     * @param tokens 1 to 128
     * @throws IllegalArgumentException if a value is not finite
     * @throws IllegalStateException if there is no room
     */
    public void appendPage(int sequence, int tokens, MemorySegment source) {
        long count = source.byteSize() / type.blockBytes() * type.blockValues();
        var all = Weight.ofBlocks(source, type, Shape.of(count));
        if (!device.isFinite(all)) {
            throw new IllegalArgumentException("keys and values must be finite, got NaN or infinity among them");
        }
        if (pages.available() == 0) {
            throw new IllegalStateException("the caches have no room for another page of " + PageTable.PAGE_KEYS + " tokens");
        }
        pages.reserve(sequence, length(sequence), tokens, copy);
        int page = pages.page(sequence, length(sequence) / PageTable.PAGE_KEYS);
        long at = 0;
        for (int i = 0; i < keys.length; i++) {
            long keyBytes = keyBytes(i);
            long valueBytes = valueBytes(i);
            device.upload(source.asSlice(at, keyBytes), keys[i], keyStart(i) + page * step * keyBytes);
            device.upload(source.asSlice(at + keyBytes, valueBytes), values[i], valueStart(i) + page * step * valueBytes);
            at += keyBytes + valueBytes;
        }
        setLength(sequence, length(sequence) + tokens);
        sumUp();
    }

    /** Keeps a sequence's first tokens; see {@link PageTable#keep}. */
    public void keep(int sequence, int[] tokens, int count) {
        pages.keep(sequence, tokens, count);
    }

    /** Makes a sequence hold what is kept of some tokens, in place of its own; returns how many of them. */
    public int adopt(int sequence, int[] tokens, int count) {
        int held = pages.adopt(sequence, tokens, count);
        setLength(sequence, held);
        sumUp();
        return held;
    }

    /** Keeps nothing any more. */
    public void forget() {
        pages.forget();
    }

    /** Ends a run that has appended: the sequences are longer by its tokens. */
    public void commit() {
        for (int s = 0; s < sequences; s++) {
            setLength(s, length(s) + appended[s]);
            appended[s] = 0;
        }
    }

    /** Ends a run that has failed: the sequences are as they were. */
    public void rollback() {
        for (int s = 0; s < sequences; s++) {
            appended[s] = 0;
            pages.release(s, length(s));
        }
        sumUp();
    }

    /** Drops the tokens of a sequence from {@code newLength} on, of which it holds as many at least. */
    public void truncate(int sequence, int newLength) {
        pages.release(sequence, newLength);
        setLength(sequence, newLength);
        sumUp();
    }

    /** Makes sequence {@code to} a copy of {@code from}, in place of what it held. */
    public void fork(int from, int to) {
        if (from != to) {
            pages.share(from, to);
            setLength(to, length(from));
            sumUp();
        }
    }

    private void setLength(int sequence, int tokens) {
        lengths.segment().setAtIndex(JAVA_INT, sequence, tokens);
    }

    private void sumUp() {
        int end = 0;
        for (int s = 0; s < sequences; s++) {
            end += length(s) + appended[s];
            ends.segment().setAtIndex(JAVA_INT, s + 1, end);
        }
    }

    private void copyPage(int from, int to) {
        if (step > 1) {
            copyPage(keys[0], pageBytes(), from, to);
            return;
        }
        for (int i = 0; i < keys.length; i++) {
            copyPage(keys[i], keyBytes(i), from, to);
            copyPage(values[i], valueBytes(i), from, to);
        }
    }

    private void copyPage(DeviceMemory memory, long bytes, int from, int to) {
        device.copy(memory, from * bytes, memory, to * bytes, bytes);
    }
}
