/* Addresses to names: libbacktrace where the build found it (DWARF, also of static programs), else
 * the dynamic symbol table. */
#include "debug/dump.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <unistd.h>

#ifdef GOFER_HAVE_BACKTRACE
/* libbacktrace's interface, as its backtrace.h declares it; that header lies in gcc's own folder,
 * where other compilers do not look; the build prefixed its names (cmake/backtrace.cmake). It
 * allocates by mmap, not by malloc. */
struct backtrace_state;
typedef void (*backtrace_error)(void *data, const char *text, int number);
struct backtrace_state *gofer_backtrace_create_state(const char *filename, int threaded,
                                                     backtrace_error error, void *data);
int gofer_backtrace_pcinfo(struct backtrace_state *state, uintptr_t pc,
                           int (*callback)(void *data, uintptr_t pc, const char *filename,
                                           int lineno, const char *function),
                           backtrace_error error, void *data);
int gofer_backtrace_syminfo(struct backtrace_state *state, uintptr_t address,
                            void (*callback)(void *data, uintptr_t pc, const char *name,
                                             uintptr_t value, uintptr_t size),
                            backtrace_error error, void *data);

static void ignore_error(void *data, const char *text, int number)
{
    (void)data;
    (void)text;
    (void)number;
}

struct names {
    struct gofer_symbol *symbols;
    int count;
};

/* Called for each function that was inlined into the next, innermost first. Our own C++ headers'
 * are left out. */
static int on_line(void *data, uintptr_t pc, const char *file, int line, const char *function)
{
    struct names *names = data;
    (void)pc;
    if ((!function && !file) || names->count == GOFER_INLINED_MOST ||
        (file && strstr(file, "/gofer/cxx/")))
        return 0;
    struct gofer_symbol *symbol = &names->symbols[names->count++];
    memset(symbol, 0, sizeof *symbol);
    if (function)
        snprintf(symbol->function, sizeof symbol->function, "%s", function);
    if (file) {
        snprintf(symbol->file, sizeof symbol->file, "%s", file);
        symbol->line = line;
    }
    return 0;
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

static int by_debug_information(uintptr_t address, struct gofer_symbol *symbols)
{
    struct names names = { .symbols = symbols };
    static struct backtrace_state *state;
    if (!state)
        state = gofer_backtrace_create_state(NULL, 1, ignore_error, NULL);
    if (!state)
        return 0;
    gofer_backtrace_pcinfo(state, address, on_line, ignore_error, &names);
    struct gofer_symbol *called = names.count ? &symbols[names.count - 1] : symbols;
    gofer_backtrace_syminfo(state, address, on_symbol, ignore_error, called);
    return names.count;
}
#else
static int by_debug_information(uintptr_t address, struct gofer_symbol *symbols)
{
    (void)address;
    (void)symbols;
    return 0;
}
#endif

/* A static program has no dladdr that works; all its code is its own file's. */
static void by_program_file(struct gofer_symbol *symbol, uintptr_t address)
{
    ssize_t n = readlink("/proc/self/exe", symbol->file, sizeof symbol->file - 1);
    symbol->file[n > 0 ? n : 0] = 0;
    symbol->offset = address;
}

/* What is added to an object's own addresses: nothing where the linker fixed them. */
static uintptr_t base_of(const Dl_info *info)
{
    const ElfW(Ehdr) *header = info->dli_fbase;
    return header->e_type == ET_EXEC ? 0 : (uintptr_t)header;
}

static void by_dynamic_symbols(uintptr_t address, struct gofer_symbol *symbol)
{
    union {
        uintptr_t number;
        void *pointer;
    } at = { address };
    Dl_info info;
    if (!dladdr(at.pointer, &info)) {
        if (!symbol->file[0])
            by_program_file(symbol, address);
        return;
    }
    if (!symbol->function[0] && info.dli_sname) {
        snprintf(symbol->function, sizeof symbol->function, "%s", info.dli_sname);
        symbol->offset = address - (uintptr_t)info.dli_saddr;
    }
    if (!symbol->file[0] && info.dli_fname)
        snprintf(symbol->file, sizeof symbol->file, "%s", info.dli_fname);
    if (!symbol->function[0])
        symbol->offset = address - base_of(&info); /* for addr2line */
}

int gofer_symbolise(uintptr_t address, struct gofer_symbol symbols[GOFER_INLINED_MOST])
{
    memset(symbols, 0, sizeof *symbols);
    int n = by_debug_information(address, symbols);
    struct gofer_symbol *called = &symbols[n ? n - 1 : 0];
    if (!called->function[0] || !called->file[0])
        by_dynamic_symbols(address, called);
    for (int i = 0; i < (n ? n : 1); i++)
        gofer_shorten_name(symbols[i].function);
    return n ? n : 1;
}
