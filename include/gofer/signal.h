/* Signals as values on channels. Go's package os/signal.
 *
 * A signal that somebody asked for goes to every channel that was registered for it, as an int, its
 * number. A send never blocks: a channel without room loses it, so give it room for one value of
 * each signal at least. A signal that comes again before the first was passed on counts once.
 * Signals that nobody asked for keep doing what they did: the library, unlike Go, catches none of
 * them.
 *
 * A handler that the program had is kept, not called, and put back by go_signal_stop,
 * go_signal_reset and go_shutdown. A handler that it puts in front of ours later stays, and may
 * call ours. System calls that the handler interrupts go on (SA_RESTART); it runs on the alternate
 * stack where the thread has one. SIGKILL and SIGSTOP cannot be caught. A SIGSEGV, SIGBUS, SIGFPE
 * or SIGILL that a failing instruction caused is not sent to channels; one that kill sent is.
 *
 * In all lists: numbers that are no signal are passed over; 0 ends the list. The child of a fork
 * gets back the handlers from before; what was ignored stays ignored, there and after exec.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_SIGNAL_H
#define GOFER_SIGNAL_H

#include <gofer/base.h>
#include <gofer/chan.h>
#include <gofer/context.h>

GOFER_BEGIN

/* go_signal_notify(c, SIGINT, SIGTERM) sends these signals to c from now on, in addition to those
 * that it was registered for; without signals all. Keeps a reference to c until c is registered no
 * more. Does not block; from any thread; starts the runtime if it does not run. While a channel is
 * registered the runtime takes no silence for a deadlock. A signal that was ignored is no longer;
 * one that all threads block is received nevertheless. 0; -1 with ENOMEM or EAGAIN where memory or
 * a thread is lacking. NULL c panics: "os/signal: Notify using nil channel". Go: signal.Notify. */
GOFER_API int go_signal_notify(go_chan(int) c, ...);

/* Sends no more signals to c, and gives the reference back. A signal that comes later does what it
 * did before the first go_signal_notify, unless other channels are registered for it. What was
 * caught before is in c's buffer, as far as that has room, when the call returns; no value comes
 * after. Waits for handlers that run at this moment, not for receivers. From any thread. A channel
 * that is not registered, NULL too: does nothing. Go: signal.Stop. */
GOFER_API void go_signal_stop(go_chan(int) c);

/* go_signal_ignore(SIGHUP): these signals are ignored from now on, and registered channels get them
 * no more; without signals all but those that failing instructions raise. From any thread. Go:
 * signal.Ignore. */
GOFER_API void go_signal_ignore(int signal, ...);

/* go_signal_reset(SIGHUP): these signals do again what they did before the first go_signal_notify
 * or go_signal_ignore; without signals all. Registered channels get them no more. From any thread.
 * Go: signal.Reset. */
GOFER_API void go_signal_reset(int signal, ...);

/* Whether the signal is ignored now, by whoever; 0 for a number that is no signal. From any thread;
 * never blocks. Go: signal.Ignored, which looks at what it did itself. */
GOFER_API int go_signal_ignored(int signal);

/* go_signal_notify_context(parent, SIGINT, SIGTERM): a context that the first of these signals
 * cancels, without signals any, with a cause such as "interrupt signal received"; and all else that
 * cancels one of go_context_with_cancel. From then on signals are caught as by go_signal_notify,
 * until go_context_cancel, which is Go's stop function, or go_context_end:
 *
 *     go_context *ctx = go_signal_notify_context(NULL, SIGINT);
 *     go_defer(go_context_end, ctx);
 *     go_context_wait(ctx);
 *     go_context_cancel(ctx);    the next Ctrl-C ends the program
 *
 * A signal, or its parent, cancels it without an end of the catching; go_context_unref alone does
 * not end it either, since the registration holds a reference. From any thread. NULL with ENOMEM or
 * EAGAIN where memory or a thread is lacking. Go: signal.NotifyContext. */
GOFER_API go_context *go_signal_notify_context(go_context *parent, ...);

/* The signal's name in Go's words: "interrupt", "user defined signal 1", "signal 35". With a final
 * zero, at most size bytes, cut if need be. Returns buf. Go: syscall.Signal.String. */
GOFER_API char *go_signal_string(int signal, char *buf, size_t size);

GOFER_END

/* The lists of these end with a 0, which the macros add. As fn of go or go_defer they need it
 * written: go_defer(go_signal_reset, SIGINT, 0). */
#define go_signal_notify(...) go_signal_notify(__VA_ARGS__, 0)
#define go_signal_notify_context(...) go_signal_notify_context(__VA_ARGS__, 0)
#define go_signal_ignore(...) go_signal_ignore(__VA_ARGS__ + 0, 0)
#define go_signal_reset(...) go_signal_reset(__VA_ARGS__ + 0, 0)

#endif
