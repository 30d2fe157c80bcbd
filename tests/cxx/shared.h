/* A header that C and C++ share: handles of channels in it have one type. */
#ifndef SHARED_H
#define SHARED_H

#include <gofer.h>

#ifdef __cplusplus
extern "C" {
#endif
void send_from_c(go_chan(int) c, int value);
#ifdef __cplusplus
}
#endif

#endif
