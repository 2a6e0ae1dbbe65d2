"""The GPU library's C ABI (native/include/fovea/fovea_cuda.h) by ctypes: what gpu.py times is what Java calls."""

import ctypes as c
from ctypes import POINTER, byref, c_char, c_char_p, c_float, c_int, c_longlong, c_void_p

ABI_VERSION = 2  # that these structs are of
F32, F16, BF16, I32 = 0, 1, 2, 16
NONE, TOKENS, SEQUENCES = -1, 0, 1
OPS = ("EMBEDDING LAYER_NORM RMS_NORM LINEAR ADD MULTIPLY ACTIVATE NORMALIZE RAGGED_MATMUL CACHE_APPEND ATTENTION "
       "POOL LOG_SOFTMAX TOP_K GATHER TOKEN_TYPES RELATIVE_BIAS").split()
GELU_ERF = 1


def _struct(name, fields):
    return type(name, (c.Structure,), {"_fields_": fields})


Failure = _struct("Failure", [("struct_size", c_int), ("driver_code", c_int), ("bytes_needed", c_longlong),
                              ("bytes_free", c_longlong), ("message", c_char * 256)])
DeviceOptions = _struct("DeviceOptions", [("struct_size", c_int), ("device", c_int), ("memory_bytes", c_longlong)])
DeviceInfo = _struct("DeviceInfo", [("struct_size", c_int), ("driver_version", c_int), ("compute_capability", c_int),
                                    ("multiprocessors", c_int), ("bytes_total", c_longlong),
                                    ("bytes_free", c_longlong), ("bytes_taken", c_longlong), ("name", c_char * 128)])
Operand = _struct("Operand", [("rows", c_int), ("dtype", c_int), ("stride", c_int), ("first_column", c_int),
                              ("columns", c_int), ("reserved", c_int), ("offset", c_longlong)])
Step = _struct("Step", [(n, c_int) for n in (
    "struct_size op activation mode normalize gated weight_dtype vocabulary positions first_position group layer "
    "heads kv_heads head_dim value_dim window_left window_right alignment rope rope_dim rope_positions").split()]
    + [(n, c_float) for n in ("epsilon", "scale", "softcap")] + [("buckets", c_int)]
    + [(n, Operand) for n in ("x", "y", "z", "out", "bias")] + [("constants", c_longlong * 4)])
ProgramOptions = _struct("ProgramOptions", [("struct_size", c_int), ("steps", c_int), ("outputs", c_int),
                                            ("groups", c_int), ("token_elements", c_longlong),
                                            ("sequence_elements", c_longlong)])
ExecutionOptions = _struct("ExecutionOptions", [("struct_size", c_int), ("max_tokens", c_int),
                                                ("max_sequences", c_int), ("explain", c_int)])


def sized(struct, **values):
    """A struct whose first field is its size."""
    return struct(struct_size=c.sizeof(struct), **values)


class CudaError(Exception):
    pass


class Device:
    """A GPU, opened through the library at a path."""

    def __init__(self, library, driver=None, memory_bytes=0):
        self.lib = c.CDLL(library)
        self.lib.fovea_cuda_status_name.restype = c_char_p
        self.lib.fovea_cuda_status_name.argtypes = [c_int]
        version = self.lib.fovea_cuda_abi_version()
        if version != ABI_VERSION:
            raise CudaError(f"expected ABI version {ABI_VERSION}, got {version} in {library}")
        self.failure = sized(Failure)
        self.uploads = set()
        self.handle = c_void_p()
        self.call("device_open", byref(sized(DeviceOptions, memory_bytes=memory_bytes)),
                  driver.encode() if driver else None, byref(self.failure), byref(self.handle))
        self.info = sized(DeviceInfo)
        self.call("device_describe", self.handle, byref(self.failure), byref(self.info))

    def call(self, name, *arguments):
        status = getattr(self.lib, "fovea_cuda_" + name)(*arguments)
        if status:
            raise CudaError(f"{name}: {self.lib.fovea_cuda_status_name(status).decode()}: "
                            f"{self.failure.message.decode(errors='replace')}")

    def upload(self, array):
        """Device memory with a dense array's bytes."""
        address = c_longlong()
        self.call("memory_create", self.handle, c_longlong(array.nbytes), byref(self.failure), byref(address))
        self.call("upload", self.handle, address, c_void_p(array.ctypes.data), c_longlong(array.nbytes),
                  byref(self.failure))
        self.uploads.add(address.value)
        return address.value

    def free(self, address):
        self.uploads.remove(address)
        self.call("memory_destroy", self.handle, c_longlong(address))

    def close(self):
        """Frees what was uploaded, too. Executions were closed before."""
        for address in list(self.uploads):
            self.free(address)
        self.call("device_close", self.handle)


class Plan:
    """Steps and the buffers that they use."""

    def __init__(self):
        self.steps, self.outputs, self.elements = [], [], {TOKENS: 0, SEQUENCES: 0}

    def buffer(self, columns, dtype, rows=TOKENS):
        operand = Operand(rows, dtype, columns, 0, columns, 0, self.elements[rows])
        self.elements[rows] += (columns + 63) // 64 * 64
        return operand

    @staticmethod
    def columns(operand, first, count):
        return Operand(operand.rows, operand.dtype, operand.stride, operand.first_column + first, count, 0,
                       operand.offset)

    def add(self, op, out, x=None, y=None, z=None, constants=(), **values):
        none = Operand(rows=NONE)
        values.setdefault("group", -1)
        values.setdefault("layer", -1)
        self.steps.append(sized(Step, op=OPS.index(op), x=x or none, y=y or none, z=z or none, out=out or none,
                                bias=none, constants=(c_longlong * 4)(*constants), **values))
        return out


class Execution:
    """A plan on a device, bound to memory for batches of up to some tokens and sequences."""

    def __init__(self, device, plan, max_tokens, max_sequences):
        self.device, self.plan, self.rows = device, plan, {TOKENS: max_tokens, SEQUENCES: max_sequences}
        steps = (Step * len(plan.steps))(*plan.steps)
        outputs = (Operand * len(plan.outputs))(*plan.outputs)
        self.program, self.handle = c_void_p(), c_void_p()
        device.call("program_create", device.handle,
                    byref(sized(ProgramOptions, steps=len(steps), outputs=len(outputs), groups=0,
                                token_elements=plan.elements[TOKENS], sequence_elements=plan.elements[SEQUENCES])),
                    steps, outputs, byref(device.failure), byref(self.program))
        device.call("execution_create", self.program,
                    byref(sized(ExecutionOptions, max_tokens=max_tokens, max_sequences=max_sequences)), None,
                    byref(device.failure), byref(self.handle))

    def run(self, ids, offsets):
        """Runs the int32 arrays' batch; ids may be None where nothing is embedded."""
        self.device.call("run", self.handle, c_int(len(offsets) - 1),
                         None if ids is None else c_void_p(ids.ctypes.data), None, c_void_p(offsets.ctypes.data),
                         byref(self.device.failure))

    def output(self, index):
        """A view of host memory, [capacity, columns], float32."""
        import numpy as np
        memory = c_void_p()
        self.device.call("execution_output", self.handle, c_int(index), byref(memory))
        operand = self.plan.outputs[index]
        count = self.rows[operand.rows] * operand.columns
        array = np.ctypeslib.as_array(c.cast(memory, POINTER(c_float)), (count,))
        return array.reshape(-1, operand.columns)

    def close(self):
        self.device.call("execution_destroy", self.handle)
        self.device.call("program_destroy", self.program)
