/* Who keeps a processor for long: GOFER_DEBUG=hog. The monitor's alone, and go_shutdown's. */
#ifndef GOFER_SRC_HOG_H
#define GOFER_SRC_HOG_H

#include "sched/sched.h"

void gofer_hog_seen(const gofer_m *m, int64_t nanoseconds);

void gofer_hog_end(void); /* no goroutine and no monitor is left: gives the signal back */

#endif
