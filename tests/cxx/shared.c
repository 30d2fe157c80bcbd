/* The C half of language.cpp. */
#include "shared.h"

void send_from_c(go_chan(int) c, int value)
{
    go_send(c, value);
}
