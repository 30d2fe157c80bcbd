# Symbolised traces: libbacktrace comes with gcc, as a static library. Its objects go into ours; its
# global names get the prefix gofer_, so that a program may link a libbacktrace of its own; mmap and
# munmap are src/debug/symbols.c's for it, which frees what it leaves.
# Sets GOFER_BACKTRACE to the renamed objects, or to nothing where there is no libbacktrace.
include(CheckCSourceCompiles)
set(GOFER_BACKTRACE "")
set(target "")
set(GOFER_OBJCOPY ${CMAKE_OBJCOPY})
if(CMAKE_C_COMPILER_TARGET)
  set(target --target=${CMAKE_C_COMPILER_TARGET})
  find_program(GOFER_TARGET_OBJCOPY ${CMAKE_C_COMPILER_TARGET}-objcopy)
  if(GOFER_TARGET_OBJCOPY)
    set(GOFER_OBJCOPY ${GOFER_TARGET_OBJCOPY})
  endif()
endif()
execute_process(COMMAND ${CMAKE_C_COMPILER} ${target} -print-file-name=libbacktrace.a
                OUTPUT_VARIABLE library OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT EXISTS "${library}" OR NOT GOFER_OBJCOPY OR NOT CMAKE_NM)
  return()
endif()
# Another libc than the one that gcc was built for may not go with it.
set(CMAKE_REQUIRED_LIBRARIES ${library})
check_c_source_compiles("void *backtrace_create_state(const char *, int, void *, void *);
  int backtrace_pcinfo(void *, unsigned long, void *, void *, void *);
  int backtrace_syminfo(void *, unsigned long, void *, void *, void *);
  int main(void) { void *s = backtrace_create_state(0, 0, 0, 0);
    return backtrace_pcinfo(s, 0, 0, 0, 0) + backtrace_syminfo(s, 0, 0, 0, 0); }"
  GOFER_BACKTRACE_LINKS)
unset(CMAKE_REQUIRED_LIBRARIES)
if(NOT GOFER_BACKTRACE_LINKS)
  return()
endif()

set(folder ${CMAKE_CURRENT_BINARY_DIR}/backtrace)
set(renamed ${folder}/libbacktrace.a)
if(NOT EXISTS ${renamed} OR ${library} IS_NEWER_THAN ${renamed}
   OR ${CMAKE_CURRENT_LIST_FILE} IS_NEWER_THAN ${renamed})
  file(REMOVE_RECURSE ${folder})
  file(MAKE_DIRECTORY ${folder})
  execute_process(COMMAND ${CMAKE_NM} -g --defined-only -A ${library} OUTPUT_VARIABLE names
                  ERROR_QUIET)
  string(REGEX MATCHALL " [A-Za-z] [A-Za-z0-9_]+" names "${names}")
  list(REMOVE_DUPLICATES names)
  list(TRANSFORM names REPLACE " [A-Za-z] (.*)" "\\1 gofer_\\1\n")
  string(JOIN "" names ${names})
  string(APPEND names "mmap gofer_backtrace_mmap\nmunmap gofer_backtrace_munmap\n")
  file(WRITE ${folder}/names "${names}")
  execute_process(COMMAND ${GOFER_OBJCOPY} --redefine-syms=${folder}/names ${library} ${renamed}
                  RESULT_VARIABLE failed)
  if(NOT failed)
    execute_process(COMMAND ${CMAKE_AR} x ${renamed} WORKING_DIRECTORY ${folder}
                    RESULT_VARIABLE failed)
  endif()
  if(failed)
    message(STATUS "cannot take ${library} apart: traces will name functions by the symbol table")
    file(REMOVE_RECURSE ${folder})
    return()
  endif()
endif()
file(GLOB GOFER_BACKTRACE ${folder}/*.o)
set_source_files_properties(${GOFER_BACKTRACE} PROPERTIES EXTERNAL_OBJECT ON)
