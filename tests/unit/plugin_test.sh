#!/usr/bin/env bash
# The shared library as a plugin: loaded, used, shut down and unloaded again and again by a program
# that knows nothing of it otherwise. Nothing of it stays: no mapping, no thread, no handler.
source=$1 build=$2
# shellcheck source=tests/unit/expect.sh
. "$source/tests/unit/expect.sh"

cat >"$work/plugin.c" <<'END'
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *library;

static int maps(void)
{
    char line[4096];
    int n = 0;
    FILE *file = fopen("/proc/self/maps", "re");
    while (fgets(line, sizeof line, file))
        n += strstr(line, "libgofer") != NULL;
    fclose(file);
    return n;
}

static int threads(void)
{
    int n = 0;
    DIR *tasks = opendir("/proc/self/task");
    while (readdir(tasks))
        n++;
    closedir(tasks);
    return n - 2;
}

static void (*spawn)(void (*)(void *), void *);
static void (*nap)(long);
static int (*gomaxprocs)(int);
static int ran;
static char alternate_stack[65536];

static void leaf(void *unused)
{
    nap(1000);
    __atomic_fetch_add(&ran, 1, __ATOMIC_SEQ_CST);
}

static int handles(int number)
{
    struct sigaction action;
    sigaction(number, NULL, &action);
    return action.sa_handler != SIG_DFL;
}

static int work(int argc, char **argv)
{
    gomaxprocs(4);
    while (getenv("GOFER_DEBUG") && !handles(SIGRTMAX - 3))
        ; /* hogs its processor until somebody looks for those */
    for (int i = 0; i < argc; i++)
        spawn(leaf, NULL);
    return 0;
}

static int (*run)(int (*)(int, char **), int, char **);

static void *runs(void *unused)
{
    run(work, 10, NULL);
    return NULL;
}

static void need(int got, int expected, const char *what)
{
    if (got == expected)
        return;
    printf("%s: got %d, expected %d\n", what, got, expected);
    exit(1);
}

int main(int argc, char **argv)
{
    stack_t now, none = { .ss_flags = SS_DISABLE };
    stack_t mine = { .ss_sp = alternate_stack, .ss_size = sizeof alternate_stack };
    library = argv[1];
    for (int round = 1; round <= 30; round++) {
        void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
        if (!handle) {
            printf("%s\n", dlerror());
            return 1;
        }
        run = dlsym(handle, "go_run");
        spawn = dlsym(handle, "go_spawn");
        nap = dlsym(handle, "go_sleep");
        gomaxprocs = dlsym(handle, "go_gomaxprocs");
        int (*shutdown)(long) = dlsym(handle, "go_shutdown");
        pthread_t other;
        pthread_create(&other, NULL, runs, NULL);
        run(work, 10, NULL);
        pthread_join(other, NULL);
        sigaltstack(&mine, NULL);
        need(shutdown(-1), 0, "go_shutdown");
        need(ran, 20 * round, "goroutines that ran");
        need(dlclose(handle), 0, "dlclose");
        if (!getenv("GOFER_DEBUG")) /* libbacktrace, which traces need, keeps files mapped */
            need(maps(), 0, "mappings of the library after dlclose");
        need(threads(), 1, "threads after dlclose");
        need(handles(SIGSEGV), 0, "a handler of SIGSEGV after dlclose");
        need(handles(SIGRTMAX - 3), 0, "a handler of SIGRTMAX - 3 after dlclose");
        sigaltstack(NULL, &now);
        need(now.ss_sp == mine.ss_sp, 1, "the program's alternate stack stays");
        sigaltstack(&none, NULL);
    }
    printf("unloaded\n");
    return 0;
}
END
${CC:-cc} -std=gnu11 -g -w "$work/plugin.c" -pthread -ldl -o "$work/plugin" || exit 1
expect plugin "$build/libgofer.so" 0 unloaded
GOFER_DEBUG=hog expect plugin "$build/libgofer.so" 0 unloaded
exit $failed
