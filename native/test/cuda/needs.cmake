# The GPU library needs libc alone: cmake -DREADELF=readelf -DLIBRARY=FILE -P needs.cmake
cmake_minimum_required(VERSION 3.22)
execute_process(COMMAND ${READELF} -d ${LIBRARY} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "NEEDED[^\n]*" needed "${text}")
foreach(line IN LISTS needed)
  if(NOT line MATCHES "libc\\.so|ld-linux")
    message(FATAL_ERROR "${LIBRARY} needs more than libc: ${line}")
  endif()
endforeach()
