/* The mutexes as go_lockers: functions of one type. */
#include "gofer/sync.h"

void gofer_locker_mutex_lock(void *m)
{
    go_mutex_lock(m);
}

void gofer_locker_mutex_unlock(void *m)
{
    go_mutex_unlock(m);
}

void gofer_locker_rwmutex_lock(void *rw)
{
    go_rwmutex_lock(rw);
}

void gofer_locker_rwmutex_unlock(void *rw)
{
    go_rwmutex_unlock(rw);
}

void gofer_locker_rwmutex_rlock(void *rw)
{
    go_rwmutex_rlock(rw);
}

void gofer_locker_rwmutex_runlock(void *rw)
{
    go_rwmutex_runlock(rw);
}
