# Lays out what the jar of a platform holds: the library and an index.
#
#   cmake -DVERSION=0.1.0 -DBUILD=DIR -DSTAGE=DIR -P stage.cmake
#
# index.cmake says what the index is.
cmake_minimum_required(VERSION 3.22)
include(${CMAKE_CURRENT_LIST_DIR}/index.cmake)

file(GLOB_RECURSE core ${BUILD}/libfovea.so ${BUILD}/libfovea.dylib ${BUILD}/fovea.dll)
list(LENGTH core cores)
if(NOT cores EQUAL 1)
  message(FATAL_ERROR "expected one libfovea in ${BUILD}, got ${cores}: ${core}")
endif()

fovea_stage(${STAGE} ${VERSION} ${core})
