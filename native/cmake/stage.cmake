# Lays out what the jar of a platform holds: the library, OpenBLAS and an index of both.
#
#   cmake -DVERSION=0.1.0 -DBUILD=DIR -DOPENBLAS=DIR -DSTAGE=DIR -P stage.cmake
#
# The index is a line "fovea VERSION SHA-256", the hash that of all other lines, and then "SHA-256  size  name"
# per file. Nothing is touched that is already in place, so a second run leaves times as they are.
cmake_minimum_required(VERSION 3.22)

file(GLOB_RECURSE core ${BUILD}/libfovea.so ${BUILD}/libfovea.dylib ${BUILD}/fovea.dll)
list(LENGTH core cores)
if(NOT cores EQUAL 1)
  message(FATAL_ERROR "expected one libfovea in ${BUILD}, got ${cores}: ${core}")
endif()
file(GLOB blas ${OPENBLAS}/*)
if(NOT blas)
  message(FATAL_ERROR "no OpenBLAS in ${OPENBLAS}")
endif()

set(files "")
set(names index)
foreach(file IN LISTS core blas)
  get_filename_component(name ${file} NAME)
  list(APPEND names ${name})
  file(COPY ${file} DESTINATION ${STAGE})
  file(SHA256 ${file} hash)
  file(SIZE ${file} size)
  string(APPEND files "${hash}  ${size}  ${name}\n")
endforeach()
string(SHA256 hash "${files}")
set(index "fovea ${VERSION} ${hash}\n${files}")

set(old "")
if(EXISTS ${STAGE}/index)
  file(READ ${STAGE}/index old)
endif()
if(NOT old STREQUAL index)
  file(WRITE ${STAGE}/index "${index}")
endif()

file(GLOB staged RELATIVE ${STAGE} ${STAGE}/*)
foreach(name IN LISTS staged)
  if(NOT name IN_LIST names)
    file(REMOVE ${STAGE}/${name})
  endif()
endforeach()
