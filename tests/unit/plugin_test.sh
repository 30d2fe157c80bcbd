#!/usr/bin/env bash
# The shared library as a plugin: loaded, used, shut down and unloaded again and again by a program
# that knows nothing of it otherwise. Nothing of it stays: no mapping, no thread, no handler. And
# plugins that use it: the names in their traces, also while constructors run.
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
static size_t (*stack)(char *, size_t, int);
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
    char trace[4000];
    gomaxprocs(4);
    stack(trace, sizeof trace, 0);
    if (!strstr(trace, "main.work("))
        printf("no trace: %s\n", trace);
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
        stack = dlsym(handle, "go_stack");
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
expect plugin "$build/libgofer.so" 0 unloaded 'no:no trace'
GOFER_DEBUG=hog expect plugin "$build/libgofer.so" 0 unloaded 'no:no trace'

# plugin_of NAME FLAG...: NAME.so from the program on standard input.
plugin_of() {
    local name=$1
    shift
    cat >"$work/$name.c"
    ${CC:-cc} -std=gnu11 -O1 -w -I"$source/include" -shared -fPIC "$work/$name.c" -L"$build" -lgofer \
        -Wl,-rpath,"$build" -pthread -o "$work/$name.so" "$@" || exit 1
}
cat >"$work/loads.c" <<'END'
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv)
{
    for (char *path = strtok(argv[1], " "); path; path = strtok(NULL, " ")) {
        void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        int (*entry)(void) = handle ? dlsym(handle, "entry") : NULL;
        puts(entry ? path : dlerror());
        fflush(stdout);
        if (entry)
            entry();
        if (entry && !*getenv("KEEP"))
            dlclose(handle);
    }
    return 0;
}
END
${CC:-cc} -std=gnu11 -g -w "$work/loads.c" -L"$build" -Wl,--no-as-needed -lgofer -Wl,-rpath,"$build" -pthread \
    -ldl -o "$work/loads" || exit 1 # it keeps the library
for name in first second; do
    plugin_of $name -g <<END
#include <gofer.h>
static int ${name}_work(int argc, char **argv)
{
    go_print_stack();
    return 0;
}
int entry(void)
{
    return go_run(${name}_work, 0, NULL);
}
END
done
# One after the other, most often at the same place, then both at once.
for keep in '' 1; do
    KEEP=$keep expect loads "$work/first.so $work/second.so" 0 "$work/first.so
goroutine " "main.first_work(...)
	$work/first.c:4 +0x" "$work/second.so
goroutine " "main.second_work(...)
	$work/second.c:4 +0x"
done
plugin_of dies -s <<'END'
#include <gofer.h>
static int dies(int argc, char **argv)
{
    go_panic("while it is loaded");
}
__attribute__((constructor)) static void begin(void)
{
    go_run(dies, 0, NULL);
}
END
KEEP='' expect loads "$work/dies.so" 2 'panic: while it is loaded' 'goroutine 1 [running' 'dies.so:0 +0x'

# A constructor that dlopen runs starts the runtime while another thread does, which needs the
# loader's lock for it, and sleeps.
cat >"$work/constructor.c" <<'END'
#include <gofer.h>
void wait_for_other(void);
static int work(int argc, char **argv)
{
    return argc;
}
__attribute__((constructor)) static void run_at_once(void)
{
    wait_for_other();
    go_run(work, 0, NULL);
}
END
cat >"$work/crosswise.c" <<'END'
#include <dlfcn.h>
#include <gofer.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int begins, tid;

static int work(int argc, char **argv)
{
    return argc;
}

static void *runs(void *unused)
{
    while (!__atomic_load_n(&begins, __ATOMIC_ACQUIRE))
        sched_yield();
    __atomic_store_n(&tid, gettid(), __ATOMIC_RELEASE);
    go_run(work, 0, NULL);
    return NULL;
}

static int sleeps(void)
{
    char path[64], text[256] = "";
    int number = __atomic_load_n(&tid, __ATOMIC_ACQUIRE);
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", number);
    FILE *file = number ? fopen(path, "re") : NULL;
    if (!file)
        return 0;
    fgets(text, sizeof text, file);
    fclose(file);
    return strstr(text, ") S ") != NULL;
}

void wait_for_other(void) /* called by the constructor */
{
    __atomic_store_n(&begins, 1, __ATOMIC_RELEASE);
    while (!sleeps())
        sched_yield();
}

int main(int argc, char **argv)
{
    pthread_t other;
    pthread_create(&other, NULL, runs, NULL);
    if (!dlopen(argv[1], RTLD_NOW))
        printf("%s\n", dlerror());
    pthread_join(other, NULL);
    printf("both ran\n");
    return 0;
}
END
${CC:-cc} -std=gnu11 -g -w -I"$source/include" -shared -fPIC "$work/constructor.c" \
    "$build/libgofer.so" -Wl,-rpath,"$build" -o "$work/constructor.so" || exit 1
${CC:-cc} -std=gnu11 -g -w -D_GNU_SOURCE -I"$source/include" "$work/crosswise.c" -rdynamic \
    "$build/libgofer.so" -Wl,-rpath,"$build" -pthread -ldl -o "$work/crosswise" || exit 1
expect crosswise "$work/constructor.so" 0 "both ran"
exit $failed
