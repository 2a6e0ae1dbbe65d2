# Compiles kernels for one architecture, and fails on what would make them slow.
#
#   cmake -DNVCC=nvcc -DARCH=sm_90a -DSOURCE=kernels.cu -DOUTPUT=kernels.sm_90a -DINCLUDE=DIR;DIR -P nvcc.cmake
#
# sm_*: machine code, and beside it OUTPUT.txt with a line "KERNEL REGISTERS" per kernel; fails on spilled registers and on
# ptxas's C75xx (wgmma serialised, setmaxnreg ignored), naming the kernel. compute_*: PTX.
cmake_minimum_required(VERSION 3.22)

list(TRANSFORM INCLUDE PREPEND "-I")
# No products and sums become one FMA but those written as one: else ptxas, or the driver for a newer card, would choose for
# each tile's shape, and a row has to have the same bits in all of them. The emulation is compiled likewise.
set(flags -std=c++17 -O3 ${INCLUDE} --fmad=false -Xcudafe --diag_suppress=177)
if(ARCH MATCHES "^compute_")
  execute_process(COMMAND ${NVCC} -ptx -arch=${ARCH} ${flags} -o ${OUTPUT} ${SOURCE} RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "nvcc fails for ${ARCH}")
  endif()
  return()
endif()

execute_process(COMMAND ${NVCC} -cubin -arch=${ARCH} ${flags} -Xptxas -v -o ${OUTPUT} ${SOURCE}
  RESULT_VARIABLE result OUTPUT_VARIABLE log ERROR_VARIABLE log)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "nvcc fails for ${ARCH}:\n${log}")
endif()

string(REPLACE ";" "," log "${log}")
string(REPLACE "[" "(" log "${log}")
string(REPLACE "]" ")" log "${log}")
string(REPLACE "\n" ";" log "${log}")
set(kernel "")
set(faults "")
set(registers "")
foreach(line IN LISTS log)
  if(line MATCHES "Compiling entry function '([^']+)'")
    set(kernel ${CMAKE_MATCH_1})
  elseif(line MATCHES "([0-9]+) bytes spill stores, ([0-9]+) bytes spill loads")
    if(NOT "${CMAKE_MATCH_1} ${CMAKE_MATCH_2}" STREQUAL "0 0")
      string(APPEND faults "  ${kernel}: ${CMAKE_MATCH_0}\n")
    endif()
  elseif(line MATCHES "Used ([0-9]+) registers")
    string(APPEND registers "${kernel} ${CMAKE_MATCH_1}\n")
  elseif(line MATCHES "\\(C75[0-9][0-9]\\)")
    string(APPEND faults "  ${line}\n")
  elseif(line MATCHES "warning")
    string(APPEND faults "  ${line}\n")
  endif()
endforeach()
if(faults)
  file(REMOVE ${OUTPUT})
  message(FATAL_ERROR "kernels for ${ARCH} that would be slow, or warned of:\n${faults}")
endif()
file(WRITE ${OUTPUT}.txt "${registers}")
