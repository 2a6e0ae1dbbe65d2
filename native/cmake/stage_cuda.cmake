# Builds the GPU library where the configured build has it, which is where nvcc is, and lays out what its jar holds: the
# library and an index. Else says so, and leaves the jar empty. With -DCUDA=OFF it does nothing, and keeps what is there.
#
#   cmake -DCUDA=ON -DVERSION=0.1.0 -DBUILD=DIR -DJOBS=2 -DSTAGE=DIR -P stage_cuda.cmake
cmake_minimum_required(VERSION 3.22)
include(${CMAKE_CURRENT_LIST_DIR}/index.cmake)

if(NOT CUDA)
  message(STATUS "fovea-cuda: not built, as native.cuda says")
  return()
endif()
load_cache(${BUILD} READ_WITH_PREFIX cached_ FOVEA_NVCC)
if(NOT cached_FOVEA_NVCC OR cached_FOVEA_NVCC MATCHES "NOTFOUND$")
  message(STATUS "fovea-cuda: skipped, the jar is empty: CMake found no nvcc")
  file(REMOVE_RECURSE ${STAGE})
  return()
endif()

execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD} --target fovea_cuda --parallel ${JOBS}
  COMMAND_ERROR_IS_FATAL ANY)
file(GLOB library ${BUILD}/native/libfovea_cuda.so)
if(NOT library)
  message(FATAL_ERROR "no libfovea_cuda.so in ${BUILD}/native")
endif()
fovea_stage(${STAGE} ${VERSION} ${library})
