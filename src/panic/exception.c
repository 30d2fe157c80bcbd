/* C++ exceptions that leave the program's own frames. An unwinder asks each frame's personality
 * routine twice: while it looks for a handler, and as it leaves the frame. These are the routines
 * of the library's frames that call the program. Neither needs a C++ library, nor libgcc's data. */
#include "panic/panic.h"
#include "park/park.h"

#include <stdio.h>
#include <unwind.h>

/* What to call the goroutine: its own name, its function's, else where it was started. */
static void describe(const gofer_g *g, char *text, size_t size)
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

/* gofer_replay's, which makes every goroutine's first call and every deferred call: nobody caught
 * the exception. It is told before any frame was left, so the traces still show where it was
 * thrown. */
_Unwind_Reason_Code gofer_personality(int version, _Unwind_Action actions,
                                      _Unwind_Exception_Class class,
                                      struct _Unwind_Exception *exception,
                                      struct _Unwind_Context *context);

_Unwind_Reason_Code gofer_personality(int version, _Unwind_Action actions,
                                      _Unwind_Exception_Class class,
                                      struct _Unwind_Exception *exception,
                                      struct _Unwind_Context *context)
{
    (void)version;
    (void)exception;
    (void)context;
    if (!(actions & _UA_SEARCH_PHASE))
        return _URC_CONTINUE_UNWIND; /* a forced unwinding: a thread is being cancelled */
    const gofer_g *self = gofer_self();
    const char *kind =
        (class & 0xffffff00) == 0x432b2b00 /* "C++" */ ? "C++ exception" : "exception";
    char who[256];
    describe(self, who, sizeof who);
    if (self->running)
        gofer_fatal("%s left a deferred call of goroutine %llu (%s)", kind,
                    (unsigned long long)self->id, who);
    gofer_fatal("%s left goroutine %llu (%s)", kind, (unsigned long long)self->id, who);
}

/* A function's that calls the program back with one deferred call registered, as go_once_do does:
 * that call runs as an exception leaves the function. */
_Unwind_Reason_Code gofer_callback_personality(int version, _Unwind_Action actions,
                                               _Unwind_Exception_Class class,
                                               struct _Unwind_Exception *exception,
                                               struct _Unwind_Context *context);

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
