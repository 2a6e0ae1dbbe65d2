# Plants a fault and runs the test that has to fail.
#
#   cmake -DCONFIG=FILE -DMUTATION=FILE -P mutate.cmake
#
# mutation.cmake says what a mutation is.
cmake_minimum_required(VERSION 3.22)
include(${CONFIG})
include(${CMAKE_CURRENT_LIST_DIR}/mutation.cmake)
fovea_mutation(${MUTATION} ${native})
set(work ${build}/mutations/${name})
file(WRITE ${work}/${file} "${text}")

# ---- build ----------------------------------------------------------------------

if(file MATCHES "^src/cuda/[^/]*\\.c$")
  set(objects ${library_objects})
else()
  set(objects ${${test}_objects})
  if(NOT test MATCHES "^(smoke|emulation)_test$")
    list(APPEND objects ${kernel_objects} ${harness_objects})
  endif()
endif()
set(includes -I${work}/src -I${work}/test -I${native}/src -I${native}/include -I${native}/test)
foreach(unit IN LISTS units)
  set(source ${native}/${unit})
  if(unit STREQUAL file)
    set(source ${work}/${file})
  endif()
  string(REPLACE "/" "_" object "${unit}.o")
  if(unit MATCHES "\\.c$")
    set(command ${c_compiler} -std=c11 -D_POSIX_C_SOURCE=200809L -fvisibility=hidden)
  else()
    set(command ${cxx_compiler} -std=c++17 -fno-strict-aliasing -x c++)
  endif()
  execute_process(COMMAND ${command} -O1 -fPIC -w ${includes} -c ${source} -o ${work}/${object} RESULT_VARIABLE code
    ERROR_VARIABLE log)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${name}: ${unit} does not compile:\n${log}")
  endif()
  string(REGEX REPLACE "([.+])" "\\\\\\1" pattern "/${unit}.o")
  list(FILTER objects EXCLUDE REGEX "${pattern}$")
  list(PREPEND objects ${work}/${object}) # in front: its templates are the ones that count
endforeach()
set(program ${work}/${test})
set(libraries "")
if(file MATCHES "^src/cuda/[^/]*\\.c$")
  execute_process(COMMAND ${c_compiler} -shared -o ${work}/${library_name} ${objects} -Wl,-soname,${library_name}
    COMMAND_ERROR_IS_FATAL ANY)
  set(program ${build}/${test})
  set(ENV{LD_LIBRARY_PATH} "${work}:$ENV{LD_LIBRARY_PATH}")
else()
  execute_process(COMMAND ${cxx_compiler} -o ${program} ${objects} COMMAND_ERROR_IS_FATAL ANY)
endif()

# ---- run ------------------------------------------------------------------------

if(NOT EXISTS ${program})
  message(FATAL_ERROR "${name}: ${test} is not built")
endif()
execute_process(COMMAND ${program} RESULT_VARIABLE code OUTPUT_VARIABLE log ERROR_VARIABLE log TIMEOUT 200)
file(REMOVE_RECURSE ${work})
if(missed AND NOT code EQUAL 0)
  message(FATAL_ERROR "${name}: ${test} sees it (${code}), though it is noted as missed: ${missed}\n${log}")
elseif(NOT missed AND code EQUAL 0)
  message(FATAL_ERROR "${name}: ${test} passes in spite of it")
endif()
string(SUBSTRING "${log}" 0 200 log)
message(STATUS "${name}: ${code}: ${log}")
