# The optional GPU library: libfovea_cuda, which is C on the driver's functions, with the kernels inside. Where there is no
# nvcc it is not built; its tests, which run the kernels under an emulation, are, where there is a C++ compiler.
#
#   all ops/*/*.cu --> kernels.cu --nvcc--> sm_80, sm_90a, PTX --fatbinary--> kernels.fatbin --image.c--> libfovea_cuda

option(FOVEA_CUDA "Build libfovea_cuda with everything else, where nvcc is; else only as the target fovea_cuda" ON)

if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
  message(STATUS "libfovea_cuda is not built: CUDA needs Linux here, this is ${CMAKE_SYSTEM_NAME}")
  return()
endif()

find_program(FOVEA_NVCC nvcc HINTS ENV CUDA_PATH PATHS /usr/local/cuda/bin DOC "CUDA's compiler, for libfovea_cuda; OFF for none")

file(GLOB cuda_kernels CONFIGURE_DEPENDS src/cuda/ops/*/*.cu)
file(GLOB cuda_kernel_headers CONFIGURE_DEPENDS src/cuda/*.h src/cuda/ops/*.h src/cuda/ops/*/*.h)
file(GLOB cuda_sources CONFIGURE_DEPENDS src/cuda/*.c src/cuda/ops/*/*.c)
list(FILTER cuda_sources EXCLUDE REGEX "_test\\.c$|/image\\.c$")
# What it shares with libfovea: names of codes, and what fovea_attention and fovea_cache_append check.
list(APPEND cuda_sources src/status.c src/ops/attention/attention_check.c src/ops/cache/cache_check.c)

# ---- kernels ------------------------------------------------------------------

# Makes a fatbin of kernels; the build fails on spills and on what ptxas warns of. Machine code of one CUDA version does not
# link, and setmaxnreg asks for one unit, so all kernels are compiled as one; each file in a namespace of its own.
function(fovea_fatbin target fatbin)
  get_filename_component(folder ${fatbin} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  set(includes "")
  set(text "")
  set(number 0)
  foreach(source IN LISTS ARGN)
    file(STRINGS ${source} lines REGEX "^#include")
    list(APPEND includes ${lines})
    string(APPEND text "namespace unit${number} {\n#include \"${source}\"\n}\n")
    math(EXPR number "${number} + 1")
  endforeach()
  list(REMOVE_DUPLICATES includes)
  list(JOIN includes "\n" includes)
  set(unit ${folder}/${target}.cu)
  file(CONFIGURE OUTPUT ${unit} CONTENT "${includes}\n${text}" @ONLY)

  set(images "")
  set(arguments "")
  foreach(arch sm_80 sm_90a compute_80)
    set(image ${folder}/${target}.${arch})
    add_custom_command(OUTPUT ${image}
      COMMAND ${CMAKE_COMMAND} -DNVCC=${FOVEA_NVCC} -DARCH=${arch} -DSOURCE=${unit} -DOUTPUT=${image}
        "-DINCLUDE=${CMAKE_CURRENT_SOURCE_DIR}/src;${CMAKE_CURRENT_SOURCE_DIR}/include"
        -P ${CMAKE_CURRENT_SOURCE_DIR}/cmake/nvcc.cmake
      DEPENDS ${unit} ${ARGN} ${cuda_kernel_headers} ${CMAKE_CURRENT_SOURCE_DIR}/cmake/nvcc.cmake
      COMMENT "Compiling kernels for ${arch}" VERBATIM)
    list(APPEND images ${image})
    string(REGEX REPLACE "^(sm|compute)_" "" number ${arch})
    string(REGEX MATCH "^compute" ptx ${arch})
    if(ptx)
      list(APPEND arguments --image3=kind=ptx,sm=${number},file=${image})
    else()
      list(APPEND arguments --image3=kind=elf,sm=${number},file=${image})
    endif()
  endforeach()
  add_custom_command(OUTPUT ${fatbin}
    COMMAND ${CMAKE_COMMAND} -DNVCC=${FOVEA_NVCC} -DOUTPUT=${fatbin} "-DIMAGES=${arguments}"
      -P ${CMAKE_CURRENT_SOURCE_DIR}/cmake/fatbinary.cmake
    DEPENDS ${images} ${CMAKE_CURRENT_SOURCE_DIR}/cmake/fatbinary.cmake
    COMMENT "Packing kernels" VERBATIM)
endfunction()

# ---- libfovea_cuda --------------------------------------------------------------

add_library(cuda_objects OBJECT EXCLUDE_FROM_ALL ${cuda_sources})
target_compile_definitions(cuda_objects PRIVATE FV_VERSION="${PROJECT_VERSION}" _POSIX_C_SOURCE=200809L)

if(FOVEA_NVCC)
  set(fatbin ${CMAKE_CURRENT_BINARY_DIR}/cuda/kernels.fatbin)
  fovea_fatbin(kernels ${fatbin} ${cuda_kernels})
  execute_process(COMMAND ${FOVEA_NVCC} --version OUTPUT_VARIABLE version COMMAND_ERROR_IS_FATAL ANY)
  if(NOT version MATCHES "release ([0-9]+)\\.")
    message(FATAL_ERROR "${FOVEA_NVCC} --version names no release: ${version}")
  endif()
  # The tests for a device hold it too.
  add_library(cuda_image OBJECT EXCLUDE_FROM_ALL src/cuda/image.c)
  target_compile_definitions(cuda_image PRIVATE FV_IMAGE="${fatbin}" FV_IMAGE_CUDA=${CMAKE_MATCH_1}000)
  set_source_files_properties(src/cuda/image.c PROPERTIES OBJECT_DEPENDS ${fatbin})

  add_library(fovea_cuda SHARED $<TARGET_OBJECTS:cuda_objects> $<TARGET_OBJECTS:cuda_image>)
  target_link_libraries(fovea_cuda PRIVATE Threads::Threads ${CMAKE_DL_LIBS})
  fovea_exports(fovea_cuda ${CMAKE_CURRENT_SOURCE_DIR}/abi/fovea_cuda.symbols)
  if(NOT FOVEA_SANITIZE)
    target_link_options(fovea_cuda PRIVATE -static-libgcc -Wl,--as-needed)
  endif()
  if(FOVEA_CUDA)
    install(TARGETS fovea_cuda LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(FILES include/fovea/fovea_cuda.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/fovea)
  else()
    set_target_properties(fovea_cuda PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
else()
  message(STATUS "libfovea_cuda is not built: there is no nvcc; -DFOVEA_NVCC=FILE names one")
endif()

option(FOVEA_EMULATION "Build the emulated GPU and its tests" ON)
if(FOVEA_TESTS AND FOVEA_EMULATION)
  add_subdirectory(test/cuda)
endif()
