// The double of the driver: streams, graphs and copies.

#include "cuda/driver_state.h"

namespace emulated {

int drain(State &s, Stream &stream) {
  std::vector<Work> queue;
  queue.swap(stream.queue);
  if (queue.empty()) {
    return s.lost;
  }
  const Access access;
  for (const Work &work : queue) {
    if (s.lost != 0) {
      break;
    }
    if (const int result = work()) {
      s.lost = result;
    }
  }
  return s.lost;
}

int drain_all(State &s) {
  int result = drain(s, s.default_stream);
  for (const auto &stream : s.streams) {
    if (const int failed = drain(s, *stream)) {
      result = failed;
    }
  }
  return result;
}

// The stream of a handle; null is the default one.
static Stream *stream_of(State &s, void *handle, const char *name) {
  Stream *stream = handle == nullptr ? &s.default_stream : find(s.streams, handle);
  if (stream == nullptr) {
    s.report(std::string(name) + " in no stream", kInvalidHandle);
  }
  return stream;
}

int submit(State &s, void *handle, const char *name, Work work) {
  Stream *stream = stream_of(s, handle, name);
  if (stream == nullptr) {
    return kInvalidHandle;
  }
  if (stream->invalidated) {
    return kCaptureInvalidated;
  }
  if (stream->capture) {
    stream->capture->nodes.push_back(std::move(work));
    return kSuccess;
  }
  stream->queue.push_back(std::move(work));
  if (stream != &s.default_stream) {
    return kSuccess;
  }
  for (const auto &other : s.streams) {  // the default stream waits for all that are not of their own
    if (other->blocking) {
      drain(s, *other);
    }
  }
  return drain(s, *stream);
}

static void *pointer(unsigned long long address) { return reinterpret_cast<void *>(static_cast<uintptr_t>(address)); }

static bool is_pinned(State &s, const void *memory, size_t bytes) {
  auto *p = static_cast<unsigned char *>(const_cast<void *>(memory));
  auto i = s.host_allocations.upper_bound(p);
  if (i == s.host_allocations.begin()) {
    return false;
  }
  --i;
  return static_cast<size_t>(p - i->first) + bytes <= i->second;
}

static bool captures(State &s, void *handle) {
  Stream *stream = handle == nullptr ? nullptr : find(s.streams, handle);
  return stream != nullptr && stream->capture;
}

// Work on a range of the device's that must be allocated now and when it is done.
static int on_device(State &s, const char *name, unsigned long long address, size_t bytes) {
  note("%zu", bytes);
  if (!is_allocated(s, pointer(address), bytes)) {
    return s.report(std::string(name) + " outside of an allocation", kInvalidValue);
  }
  return kSuccess;
}

static int check_later(unsigned long long address, size_t bytes, const char *name) {
  State &s = state();
  return is_allocated(s, pointer(address), bytes)
             ? kSuccess
             : s.report(std::string(name) + " in memory that was freed before it ran", kIllegalAddress);
}

}  // namespace emulated

using namespace emulated;

// ---- copies ---------------------------------------------------------------------

FV_CU_API cuMemcpyHtoDAsync_v2(unsigned long long target, const void *source, size_t bytes, void *stream) {
  return call("cuMemcpyHtoDAsync_v2", 0, [&](State &s) {
    if (const int result = on_device(s, "cuMemcpyHtoDAsync", target, bytes)) {
      return result;
    }
    if (emulated_is_device_memory(source)) {
      return s.report("cuMemcpyHtoDAsync from the device", kInvalidValue);
    }
    if (is_pinned(s, source, bytes) || captures(s, stream)) {  // read when the copy runs
      return submit(s, stream, "cuMemcpyHtoDAsync", [=] {
        const int result = check_later(target, bytes, "cuMemcpyHtoDAsync");
        if (result == kSuccess) {
          memcpy(pointer(target), source, bytes);
        }
        return result;
      });
    }
    const auto *from = static_cast<const unsigned char *>(source);
    std::vector<unsigned char> staged(from, from + bytes);
    return submit(s, stream, "cuMemcpyHtoDAsync", [=] {
      const int result = check_later(target, bytes, "cuMemcpyHtoDAsync");
      if (result == kSuccess) {
        memcpy(pointer(target), staged.data(), bytes);
      }
      return result;
    });
  });
}

FV_CU_API cuMemcpyDtoHAsync_v2(void *target, unsigned long long source, size_t bytes, void *stream) {
  return call("cuMemcpyDtoHAsync_v2", 0, [&](State &s) {
    if (const int result = on_device(s, "cuMemcpyDtoHAsync", source, bytes)) {
      return result;
    }
    if (emulated_is_device_memory(target)) {
      return s.report("cuMemcpyDtoHAsync to the device", kInvalidValue);
    }
    int result = submit(s, stream, "cuMemcpyDtoHAsync", [=] {
      const int checked = check_later(source, bytes, "cuMemcpyDtoHAsync");
      if (checked == kSuccess) {
        memcpy(target, pointer(source), bytes);
      }
      return checked;
    });
    if (result == kSuccess && !is_pinned(s, target, bytes) && !captures(s, stream)) {
      result = drain(s, *stream_of(s, stream, "cuMemcpyDtoHAsync"));  // the driver waits as well
    }
    return result;
  });
}

FV_CU_API cuMemcpyDtoDAsync_v2(unsigned long long target, unsigned long long source, size_t bytes, void *stream) {
  return call("cuMemcpyDtoDAsync_v2", 0, [&](State &s) {
    int result = on_device(s, "cuMemcpyDtoDAsync", target, bytes);
    if (result == kSuccess) {
      result = on_device(s, "cuMemcpyDtoDAsync", source, bytes);
    }
    if (result != kSuccess) {
      return result;
    }
    if (target < source + bytes && source < target + bytes) {
      return s.report("cuMemcpyDtoDAsync of ranges that overlap", kInvalidValue);
    }
    return submit(s, stream, "cuMemcpyDtoDAsync", [=] {
      const int first = check_later(target, bytes, "cuMemcpyDtoDAsync");
      const int second = check_later(source, bytes, "cuMemcpyDtoDAsync");
      if (first != kSuccess || second != kSuccess) {
        return kIllegalAddress;
      }
      memcpy(pointer(target), pointer(source), bytes);
      return kSuccess;
    });
  });
}

FV_CU_API cuMemsetD8Async(unsigned long long target, unsigned char value, size_t bytes, void *stream) {
  return call("cuMemsetD8Async", 0, [&](State &s) {
    if (const int result = on_device(s, "cuMemsetD8Async", target, bytes)) {
      return result;
    }
    return submit(s, stream, "cuMemsetD8Async", [=] {
      const int result = check_later(target, bytes, "cuMemsetD8Async");
      if (result == kSuccess) {
        memset(pointer(target), value, bytes);
      }
      return result;
    });
  });
}

// ---- streams --------------------------------------------------------------------

FV_CU_API cuStreamCreate(void **stream, unsigned flags) {
  return call("cuStreamCreate", 0, [&](State &s) {
    if (flags > 1) {
      return kInvalidValue;
    }
    auto made = std::make_unique<Stream>();
    made->blocking = flags == 0;
    *stream = s.streams.insert(std::move(made)).first->get();
    return kSuccess;
  });
}

FV_CU_API cuStreamSynchronize(void *handle) {
  return call("cuStreamSynchronize", 0, [&](State &s) {
    Stream *stream = stream_of(s, handle, "cuStreamSynchronize");
    if (stream == nullptr) {
      return kInvalidHandle;
    }
    if (stream->capture) {
      stream->invalidated = true;
      return kCaptureUnsupported;
    }
    return drain(s, *stream);
  });
}

FV_CU_API cuStreamDestroy_v2(void *handle) {
  return call("cuStreamDestroy_v2", 0, [&](State &s) {
    Stream *stream = find(s.streams, handle);
    if (stream == nullptr) {
      return s.report("cuStreamDestroy of no stream", kInvalidHandle);
    }
    const int result = drain(s, *stream);
    erase(s.streams, handle);
    return result;
  });
}

FV_CU_API cuStreamBeginCapture_v2(void *handle, int mode) {
  return call("cuStreamBeginCapture_v2", 0, [&](State &s) {
    Stream *stream = stream_of(s, handle, "cuStreamBeginCapture");
    if (stream == nullptr || stream == &s.default_stream || stream->capture || mode < 0 || mode > 2) {
      return stream == nullptr ? kInvalidHandle : stream == &s.default_stream ? kCaptureUnsupported : kIllegalState;
    }
    stream->capture = std::make_unique<Graph>();
    stream->invalidated = false;
    stream->mode = mode;
    stream->captured_by = std::this_thread::get_id();
    return kSuccess;
  });
}

FV_CU_API cuStreamEndCapture(void *handle, void **graph) {
  return call("cuStreamEndCapture", 0, [&](State &s) {
    Stream *stream = stream_of(s, handle, "cuStreamEndCapture");
    *graph = nullptr;
    if (stream == nullptr || !stream->capture) {
      return stream == nullptr ? kInvalidHandle : kIllegalState;
    }
    std::unique_ptr<Graph> captured = std::move(stream->capture);
    const bool invalidated = stream->invalidated;
    stream->invalidated = false;
    if (stream->mode != 2 && stream->captured_by != std::this_thread::get_id()) {
      return 908;  // CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD
    }
    if (invalidated) {
      return kCaptureInvalidated;
    }
    note("%zu", captured->nodes.size());
    *graph = s.graphs.insert(std::move(captured)).first->get();
    return kSuccess;
  });
}

// ---- graphs ---------------------------------------------------------------------

FV_CU_API cuGraphInstantiateWithFlags(void **executable, void *graph, unsigned long long) {
  return call("cuGraphInstantiateWithFlags", 0, [&](State &s) {
    const Graph *g = find(s.graphs, graph);
    if (g == nullptr) {
      return s.report("cuGraphInstantiate of no graph", kInvalidHandle);
    }
    *executable = s.executables.insert(std::make_unique<Graph>(*g)).first->get();
    return kSuccess;
  });
}

FV_CU_API cuGraphUpload(void *executable, void *stream) {
  return call("cuGraphUpload", 0, [&](State &s) {
    if (find(s.executables, executable) == nullptr) {
      return s.report("cuGraphUpload of no graph", kInvalidHandle);
    }
    return stream_of(s, stream, "cuGraphUpload") == nullptr ? kInvalidHandle : kSuccess;
  });
}

FV_CU_API cuGraphLaunch(void *executable, void *stream) {
  return call("cuGraphLaunch", 0, [&](State &s) {
    const Graph *g = find(s.executables, executable);
    if (g == nullptr) {
      return s.report("cuGraphLaunch of no graph", kInvalidHandle);
    }
    s.graph_launches++;
    return submit(s, stream, "cuGraphLaunch", [nodes = g->nodes] {
      for (const Work &work : nodes) {
        if (const int result = work()) {
          return result;
        }
      }
      return kSuccess;
    });
  });
}

FV_CU_API cuGraphExecDestroy(void *executable) {
  return call("cuGraphExecDestroy", 0, [&](State &s) {
    return erase(s.executables, executable) ? kSuccess : s.report("cuGraphExecDestroy of no graph", kInvalidHandle);
  });
}

FV_CU_API cuGraphDestroy(void *graph) {
  return call("cuGraphDestroy", 0, [&](State &s) {
    return erase(s.graphs, graph) ? kSuccess : s.report("cuGraphDestroy of no graph", kInvalidHandle);
  });
}
