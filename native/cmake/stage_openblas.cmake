# Lays out what the jar of OpenBLAS for a platform holds: the library, what it needs, and an index of both.
#
#   cmake -DVERSION=0.1.0 -DOPENBLAS=DIR -DSTAGE=DIR -P stage_openblas.cmake
#
# index.cmake says what the index is.
cmake_minimum_required(VERSION 3.22)
include(${CMAKE_CURRENT_LIST_DIR}/index.cmake)

file(GLOB blas ${OPENBLAS}/*)
if(NOT blas)
  message(FATAL_ERROR "no OpenBLAS in ${OPENBLAS}")
endif()

fovea_stage(${STAGE} ${VERSION} ${blas})
