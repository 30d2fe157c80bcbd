/* Addresses to names: libbacktrace where the build found it (DWARF, also of static programs), else
 * the dynamic symbol table. */
#include "debug/dump.h"

#include <dlfcn.h>
#include <stdio.h>

#ifdef GOFER_HAVE_BACKTRACE
/* libbacktrace's interface, as its backtrace.h declares it; that header lies in gcc's own folder,
 * where other compilers do not look. It allocates by mmap, not by malloc. */
struct backtrace_state;
typedef void (*backtrace_error)(void *data, const char *text, int number);
struct backtrace_state *backtrace_create_state(const char *filename, int threaded,
                                               backtrace_error error, void *data);
int backtrace_pcinfo(struct backtrace_state *state, uintptr_t pc,
                     int (*callback)(void *data, uintptr_t pc, const char *filename, int lineno,
                                     const char *function),
                     backtrace_error error, void *data);
int backtrace_syminfo(struct backtrace_state *state, uintptr_t address,
                      void (*callback)(void *data, uintptr_t pc, const char *name, uintptr_t value,
                                       uintptr_t size),
                      backtrace_error error, void *data);

static void ignore_error(void *data, const char *text, int number)
{
    (void)data;
    (void)text;
    (void)number;
}

/* An address may stand for several frames, inlined into each other, innermost first: taken is the
 * first that is not of our own C++ headers. */
static int on_line(void *data, uintptr_t pc, const char *file, int line, const char *function)
{
    struct gofer_symbol *symbol = data;
    (void)pc;
    if (function)
        snprintf(symbol->function, sizeof symbol->function, "%s", function);
    if (file) {
        snprintf(symbol->file, sizeof symbol->file, "%s", file);
        symbol->line = line;
    }
    return (function || file) && !(file && strstr(file, "/gofer/cxx/"));
}

static void on_symbol(void *data, uintptr_t pc, const char *name, uintptr_t value, uintptr_t size)
{
    struct gofer_symbol *symbol = data;
    (void)size;
    if (!name)
        return;
    if (!symbol->function[0])
        snprintf(symbol->function, sizeof symbol->function, "%s", name);
    symbol->offset = pc - value;
}

static void by_debug_information(uintptr_t address, struct gofer_symbol *symbol)
{
    static struct backtrace_state *state;
    if (!state)
        state = backtrace_create_state(NULL, 1, ignore_error, NULL);
    if (!state)
        return;
    backtrace_pcinfo(state, address, on_line, ignore_error, symbol);
    backtrace_syminfo(state, address, on_symbol, ignore_error, symbol);
}
#else
static void by_debug_information(uintptr_t address, struct gofer_symbol *symbol)
{
    (void)address;
    (void)symbol;
}
#endif

static void by_dynamic_symbols(uintptr_t address, struct gofer_symbol *symbol)
{
    union {
        uintptr_t number;
        void *pointer;
    } at = { address };
    Dl_info info;
    if (!dladdr(at.pointer, &info))
        return;
    if (!symbol->function[0] && info.dli_sname) {
        snprintf(symbol->function, sizeof symbol->function, "%s", info.dli_sname);
        symbol->offset = address - (uintptr_t)info.dli_saddr;
    }
    if (!symbol->file[0] && info.dli_fname)
        snprintf(symbol->file, sizeof symbol->file, "%s", info.dli_fname);
}

void gofer_symbolise(uintptr_t address, struct gofer_symbol *symbol)
{
    memset(symbol, 0, sizeof *symbol);
    by_debug_information(address, symbol);
    if (!symbol->function[0] || !symbol->file[0])
        by_dynamic_symbols(address, symbol);
    gofer_shorten_name(symbol->function);
}
