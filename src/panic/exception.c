/* C++ exceptions that leave the program's own frames. An unwinder asks each frame's personality
 * routine twice: while it looks for a handler, and as it leaves the frame. These are the routines
 * of the library's frames that call the program. Neither needs a C++ library, nor libgcc's data. */
#include "debug/dump.h"
#include "panic/panic.h"
#include "park/park.h"

#include <stdio.h>
#include <unwind.h>

/* From include/gofer/cxx/exception.h, where the program has C++. */
const char *gofer_exception_text(void *exception, const char **type) __attribute__((weak));

/* What to call the goroutine: its own name, its function's, else where it was started. */
static void name_goroutine(const gofer_g *g, char *text, size_t size)
{
    const gofer_site *site = g->site;
    if (g->name)
        snprintf(text, size, "%s", g->name);
    else if (site && site->name)
        snprintf(text, size, "main.%s", site->name);
    else if (site)
        snprintf(text, size, "started in main.%s at %s:%d", site->function, site->file, site->line);
    else
        snprintf(text, size, "%s", g == gofer_sched.main_g ? "main.go_main" : "go_spawn");
}

/* ": std::runtime_error: what it says", as far as that is known. */
static void describe(struct _Unwind_Exception *exception, char *text, size_t size)
{
    const char *type = NULL, *what = gofer_exception_text(exception, &type);
    char name[GOFER_NAME_SIZE] = "";
    if (type) {
        snprintf(name, sizeof name, "_Z%s", type);
        gofer_shorten_name(name);
        if (strncmp(name, "_Z", 2) == 0)
            name[0] = 0; /* an int's is "i" */
    }
    snprintf(text, size, "%s%s%s%s", name[0] ? ": " : "", name, what ? ": " : "", what ? what : "");
}

/* gofer_replay's, which makes every goroutine's first call and every deferred call: nobody caught
 * the exception. It is told before any frame was left, so the traces still show where it was
 * thrown. */
__attribute__((used)) _Unwind_Reason_Code gofer_personality(int version, _Unwind_Action actions,
                                                            _Unwind_Exception_Class class,
                                                            struct _Unwind_Exception *exception,
                                                            struct _Unwind_Context *context);

_Unwind_Reason_Code gofer_personality(int version, _Unwind_Action actions,
                                      _Unwind_Exception_Class class,
                                      struct _Unwind_Exception *exception,
                                      struct _Unwind_Context *context)
{
    (void)version;
    (void)context;
    if (!(actions & _UA_SEARCH_PHASE))
        return _URC_CONTINUE_UNWIND; /* a forced unwinding: a thread is being cancelled */
    const gofer_g *self = gofer_self();
    bool is_cxx = (class & 0xffffff00) == 0x432b2b00; /* "C++" */
    char who[256], what[256] = "";
    name_goroutine(self, who, sizeof who);
    if (is_cxx && gofer_exception_text)
        describe(exception, what, sizeof what);
    gofer_fatal("%sexception left %sgoroutine %llu (%s)%s", is_cxx ? "C++ " : "",
                self->running ? "a deferred call of " : "", (unsigned long long)self->id, who,
                what);
}

/* A function's that calls the program back with one deferred call registered, as go_once_do does:
 * that call runs as an exception leaves the function. */
__attribute__((used)) _Unwind_Reason_Code
gofer_callback_personality(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
                           struct _Unwind_Exception *exception, struct _Unwind_Context *context);

_Unwind_Reason_Code gofer_callback_personality(int version, _Unwind_Action actions,
                                               _Unwind_Exception_Class class,
                                               struct _Unwind_Exception *exception,
                                               struct _Unwind_Context *context)
{
    (void)version;
    (void)class;
    (void)exception;
    (void)context;
    if (actions & _UA_CLEANUP_PHASE)
        gofer_defer_leave(gofer_self()->defers);
    return _URC_CONTINUE_UNWIND;
}
