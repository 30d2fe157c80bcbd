/* What go_shutdown wants of the signals. */
#ifndef GOFER_SRC_RELAY_H
#define GOFER_SRC_RELAY_H

/* All signals do again what they did before, but for those that the program ignores; registrations
 * are gone, and the thread has ended. gofer_life.lock is held; nobody is in go_signal_notify. */
void gofer_signals_end(void);

#endif
