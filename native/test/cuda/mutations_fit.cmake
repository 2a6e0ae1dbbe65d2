# Every mutation fits the file that it is for: cmake -DNATIVE=DIR -P mutations_fit.cmake
#
# A change of a kernel may take away the text that a mutation looks for; whether tests see the faults is another test.
cmake_minimum_required(VERSION 3.22)
include(${CMAKE_CURRENT_LIST_DIR}/mutation.cmake)
file(GLOB mutations ${CMAKE_CURRENT_LIST_DIR}/mutations/*.mutation)
foreach(mutation IN LISTS mutations)
  fovea_mutation(${mutation} ${NATIVE})
endforeach()
list(LENGTH mutations count)
if(count EQUAL 0)
  message(FATAL_ERROR "there are no mutations in ${CMAKE_CURRENT_LIST_DIR}/mutations")
endif()
message(STATUS "${count} mutations fit")
