/* GOFER_DEBUG=word,word…: what a user asked the runtime to look at or to do worse. Read once, when
 * the runtime starts; written by nobody after that. */
#ifndef GOFER_SRC_OPTIONS_H
#define GOFER_SRC_OPTIONS_H

#include <stdbool.h>

extern struct gofer_debug {
    bool hog;      /* report goroutines that compute for long: hog.c */
    bool deadlock; /* report a deadlock that only foreign threads could end */
    bool migrate;  /* no goroutine wakes on the thread on which it went to sleep: loop.c */
    bool poller;   /* say which one was opened: poller.c */
} gofer_debug;

void gofer_debug_start(void);

#endif
