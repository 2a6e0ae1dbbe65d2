# Lays out what the jar of a platform holds: the library, OpenBLAS and an index of both.
#
#   cmake -DVERSION=0.1.0 -DBUILD=DIR -DOPENBLAS=DIR -DSTAGE=DIR -P stage.cmake
#
# index.cmake says what the index is.
cmake_minimum_required(VERSION 3.22)
include(${CMAKE_CURRENT_LIST_DIR}/index.cmake)

file(GLOB_RECURSE core ${BUILD}/libfovea.so ${BUILD}/libfovea.dylib ${BUILD}/fovea.dll)
list(LENGTH core cores)
if(NOT cores EQUAL 1)
  message(FATAL_ERROR "expected one libfovea in ${BUILD}, got ${cores}: ${core}")
endif()
file(GLOB blas ${OPENBLAS}/*)
if(NOT blas)
  message(FATAL_ERROR "no OpenBLAS in ${OPENBLAS}")
endif()

fovea_stage(${STAGE} ${VERSION} ${core} ${blas})
