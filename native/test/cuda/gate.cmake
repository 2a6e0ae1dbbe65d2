# The build fails on kernels that spill or whose wgmma is serialised, and names them: shown on planted ones.
#
#   cmake -DNVCC=nvcc -DNATIVE=DIR -DOUTPUT=DIR -P gate.cmake
cmake_minimum_required(VERSION 3.22)

function(compile source arch result log)
  execute_process(COMMAND ${CMAKE_COMMAND} -DNVCC=${NVCC} -DARCH=${arch} -DSOURCE=${source} -DOUTPUT=${OUTPUT}/gate
      "-DINCLUDE=${NATIVE}/src;${NATIVE}/include;${NATIVE}/test" -P ${NATIVE}/cmake/nvcc.cmake
    RESULT_VARIABLE code OUTPUT_VARIABLE text ERROR_VARIABLE text)
  set(${result} ${code} PARENT_SCOPE)
  set(${log} "${text}" PARENT_SCOPE)
endfunction()

function(should_refuse source arch expected)
  compile(${NATIVE}/test/cuda/planted/${source} ${arch} code log)
  if(code EQUAL 0 OR NOT log MATCHES "${expected}" OR EXISTS ${OUTPUT}/gate)
    message(FATAL_ERROR "${source} for ${arch}: expected a failure with ${expected}, got ${code}:\n${log}")
  endif()
endfunction()

should_refuse(spill.cu sm_80 "planted_spill: [1-9][0-9]* bytes spill stores")
should_refuse(spill.cu sm_90a "planted_spill: [1-9][0-9]* bytes spill stores")
should_refuse(serialised.cu sm_90a "C75[0-9][0-9].*planted_serialised")
compile(${NATIVE}/test/cuda/smoke.cu sm_90a code log)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "smoke.cu: expected success, got ${code}:\n${log}")
endif()
file(READ ${OUTPUT}/gate.txt registers)
if(NOT registers MATCHES "smoke_product90 [1-9]")
  message(FATAL_ERROR "expected the registers of smoke_product90, got ${registers}")
endif()
