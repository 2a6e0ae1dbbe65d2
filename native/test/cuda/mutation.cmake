# fovea_mutation(MUTATION native): reads a planted fault into name, file, test, units, missed and text, which is that of the
# file with the fault; fails where it does not fit the file below native.
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
function(fovea_mutation mutation_file native)
  file(READ ${mutation_file} mutation)
  get_filename_component(name ${mutation_file} NAME_WE)
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

  file(READ ${native}/${file} text)
  string(FIND "${text}" "${find}" first)
  string(FIND "${text}" "${find}" last REVERSE)
  if(first LESS 0 OR NOT first EQUAL last)
    message(FATAL_ERROR "${name}: its text does not occur once in ${file}")
  endif()
  string(REPLACE "${find}" "${put}" text "${text}")

  foreach(result name file test units missed text)
    set(${result} "${${result}}" PARENT_SCOPE)
  endforeach()
endfunction()
