# processor: the target's, in the names that the rows of isa.cmake use.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
  set(processor x86_64)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
  set(processor aarch64)
else()
  set(processor ${CMAKE_SYSTEM_PROCESSOR})
endif()
