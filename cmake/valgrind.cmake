# The machine's own compiler; tests run under valgrind.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${CMAKE_HOST_SYSTEM_PROCESSOR})
set(CMAKE_CROSSCOMPILING_EMULATOR valgrind --quiet --fair-sched=yes --error-exitcode=99)
