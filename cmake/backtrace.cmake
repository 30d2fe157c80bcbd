# Symbolised traces: libbacktrace comes with gcc, as a static library. Its objects go into ours; its
# global names get the prefix gofer_, so that a program may link a libbacktrace of its own.
# Sets GOFER_BACKTRACE to the renamed objects, or to nothing where there is no libbacktrace, or one
# that does not link: gcc's own may want another libc.
include(CheckCSourceCompiles)
set(GOFER_BACKTRACE "")
set(target "")
if(CMAKE_C_COMPILER_TARGET)
  set(target --target=${CMAKE_C_COMPILER_TARGET})
endif()
execute_process(COMMAND ${CMAKE_C_COMPILER} ${target} -print-file-name=libbacktrace.a
                OUTPUT_VARIABLE library OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT EXISTS "${library}" OR NOT CMAKE_OBJCOPY OR NOT CMAKE_NM)
  return()
endif()
set(CMAKE_REQUIRED_LIBRARIES ${library})
check_c_source_compiles("void *backtrace_create_state(const char *, int, void *, void *);
  int backtrace_pcinfo(void *, unsigned long, void *, void *, void *);
  int main(void) { return backtrace_pcinfo(backtrace_create_state(0, 0, 0, 0), 0, 0, 0, 0); }"
  GOFER_BACKTRACE_LINKS)
unset(CMAKE_REQUIRED_LIBRARIES)
if(NOT GOFER_BACKTRACE_LINKS)
  return()
endif()

set(folder ${CMAKE_CURRENT_BINARY_DIR}/backtrace)
set(renamed ${folder}/libbacktrace.a)
if(NOT EXISTS ${renamed} OR ${library} IS_NEWER_THAN ${renamed})
  file(REMOVE_RECURSE ${folder})
  file(MAKE_DIRECTORY ${folder})
  execute_process(COMMAND ${CMAKE_NM} -g --defined-only -A ${library} OUTPUT_VARIABLE names
                  ERROR_QUIET)
  string(REGEX MATCHALL " [A-Za-z] [A-Za-z0-9_]+" names "${names}")
  list(REMOVE_DUPLICATES names)
  list(TRANSFORM names REPLACE " [A-Za-z] (.*)" "\\1 gofer_\\1\n")
  string(JOIN "" names ${names})
  file(WRITE ${folder}/names "${names}")
  execute_process(COMMAND ${CMAKE_OBJCOPY} --redefine-syms=${folder}/names ${library} ${renamed}
                  RESULT_VARIABLE failed)
  if(NOT failed)
    execute_process(COMMAND ${CMAKE_AR} x ${renamed} WORKING_DIRECTORY ${folder}
                    RESULT_VARIABLE failed)
  endif()
  if(failed)
    message(FATAL_ERROR "cannot take ${library} apart")
  endif()
endif()
file(GLOB GOFER_BACKTRACE ${folder}/*.o)
set_source_files_properties(${GOFER_BACKTRACE} PROPERTIES EXTERNAL_OBJECT ON)
