# Plants a fault and runs the test that has to fail.
#
#   cmake -DCONFIG=FILE -DMUTATION=FILE -P mutate.cmake
#
# A mutation is a file of lines and two texts; the first occurs once in the file and gives way to the second:
#
#   file src/cuda/ops/norm/norm.cu
#   test op_norm_test
#   units src/cuda/ops/norm/norm.cu           what to compile anew, where file is a header
#   missed why no test can see it             for a fault that is known to go unseen
#   --- find
#   ...
#   --- put
#   ...
cmake_minimum_required(VERSION 3.22)
include(${CONFIG})

file(READ ${MUTATION} mutation)
get_filename_component(name ${MUTATION} NAME_WE)
string(FIND "${mutation}" "--- find\n" find_at)
string(FIND "${mutation}" "--- put\n" put_at)
if(find_at LESS 0 OR put_at LESS find_at)
  message(FATAL_ERROR "${name}: expected --- find and --- put")
endif()
string(SUBSTRING "${mutation}" 0 ${find_at} head)
math(EXPR from "${find_at} + 9")
math(EXPR length "${put_at} - ${from} - 1")
string(SUBSTRING "${mutation}" ${from} ${length} find)
math(EXPR from "${put_at} + 8")
string(SUBSTRING "${mutation}" ${from} -1 put)
string(REGEX REPLACE "\n$" "" put "${put}")
foreach(field file test units missed)
  set(${field} "")
  if("${head}" MATCHES "(^|\n)${field} ([^\n]+)")
    set(${field} "${CMAKE_MATCH_2}")
  endif()
endforeach()
if(units STREQUAL "")
  set(units ${file})
endif()
string(REPLACE " " ";" units "${units}")

# ---- the fault ------------------------------------------------------------------

file(READ ${native}/${file} text)
string(FIND "${text}" "${find}" first)
string(FIND "${text}" "${find}" last REVERSE)
if(first LESS 0 OR NOT first EQUAL last)
  message(FATAL_ERROR "${name}: its text does not occur once in ${file}")
endif()
string(REPLACE "${find}" "${put}" text "${text}")
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

execute_process(COMMAND ${program} RESULT_VARIABLE code OUTPUT_VARIABLE log ERROR_VARIABLE log TIMEOUT 200)
file(REMOVE_RECURSE ${work})
if(missed AND NOT code EQUAL 0)
  message(FATAL_ERROR "${name}: ${test} sees it (${code}), though it is noted as missed: ${missed}\n${log}")
elseif(NOT missed AND code EQUAL 0)
  message(FATAL_ERROR "${name}: ${test} passes in spite of it")
endif()
string(SUBSTRING "${log}" 0 200 log)
message(STATUS "${name}: ${code}: ${log}")
