# Packs machine code and PTX: cmake -DNVCC=nvcc -DOUTPUT=FILE "-DIMAGES=ARGUMENT;ARGUMENT" -P fatbinary.cmake
cmake_minimum_required(VERSION 3.22)

# It stands beside the nvcc that a link or a script leads to, which a dry run names.
execute_process(COMMAND ${NVCC} --dryrun -cubin -x cu /dev/null ERROR_VARIABLE dryrun OUTPUT_QUIET)
string(REGEX MATCH "_HERE_=([^\n]+)" here "${dryrun}")
find_program(fatbinary fatbinary PATHS ${CMAKE_MATCH_1} NO_DEFAULT_PATH NO_CACHE REQUIRED)
# The smallest that this version makes.
execute_process(COMMAND ${fatbinary} --help OUTPUT_VARIABLE help)
set(compression --compress-all)
if(help MATCHES "--compress-mode")
  set(compression --compress-mode=size)
endif()
execute_process(COMMAND ${fatbinary} --create=${OUTPUT} -64 ${compression} ${IMAGES} COMMAND_ERROR_IS_FATAL ANY)
