/* Many senders, receivers and selects on a few channels, goroutines and plain threads together:
 * every value arrives once. */
#include "stress.h"

#include <pthread.h>

enum { CHANNELS = 3, SENDERS = 6, RECEIVERS = 6, THREADS = 2 };

static go_chan(long) chans[CHANNELS];
static go_waitgroup senders, receivers;
static long long sums[RECEIVERS + THREADS];
static long counts[RECEIVERS + THREADS];

static void sender(int id)
{
    unsigned random = stress_seed + (unsigned)id * 7919u;
    for (long i = 0; i < stress_rounds; i++) {
        long value = i + 1;
        stress_pause(&random);
        switch (stress_random(&random) % 4) {
        case 0:
            go_send(chans[stress_random(&random) % CHANNELS], value);
            break;
        case 3:
            while (go_try_send(chans[stress_random(&random) % CHANNELS], value) != GO_DONE)
                go_gosched();
            break;
        case 1:
            go_select(go_case_send(chans[0], value), go_case_send(chans[1], value),
                      go_case_send(chans[2], value));
            break;
        default:
            while (go_select(go_case_send(chans[stress_random(&random) % CHANNELS], value),
                             go_case_after(GO_MICROSECOND * (1 + i % 50))) == 1)
                ;
            break;
        }
    }
    go_waitgroup_done(&senders);
}

/* Receives until all channels are closed and drained. */
static void receiver(int id)
{
    unsigned random = stress_seed + (unsigned)id * 104729u;
    go_chan(long) open[CHANNELS] = { chans[0], chans[1], chans[2] };
    int left = CHANNELS;
    while (left > 0) {
        long value = 0;
        int ok = 1;
        int which;
        stress_pause(&random);
        if (stress_random(&random) % 4 == 0) {
            which = (int)(stress_random(&random) % CHANNELS);
            if (stress_random(&random) % 2) {
                if (go_select(go_case_recv_ok(open[which], &value, &ok), go_case_default) == 1)
                    continue;
            } else {
                enum go_status status = go_try_recv(open[which], &value);
                if (status == GO_WOULD_BLOCK)
                    continue;
                ok = status == GO_DONE;
            }
        } else {
            which = go_select(go_case_recv_ok(open[0], &value, &ok),
                              go_case_recv_ok(open[1], &value, &ok),
                              go_case_recv_ok(open[2], &value, &ok));
        }
        if (ok) {
            sums[id] += value;
            counts[id]++;
        } else {
            open[which] = NULL;
            left--;
        }
    }
    go_waitgroup_done(&receivers);
}

static void *receiver_thread(void *id)
{
    receiver((int)(intptr_t)id);
    return NULL;
}

static void *sender_thread(void *id)
{
    sender((int)(intptr_t)id);
    return NULL;
}

int go_main(int argc, char **argv)
{
    stress_begin(argc, argv, 3000);
    pthread_t threads[2 * THREADS];
    chans[0] = go_chan_make(long, 0);
    chans[1] = go_chan_make(long, 1);
    chans[2] = go_chan_make(long, 100);
    go_waitgroup_add(&senders, SENDERS + THREADS);
    go_waitgroup_add(&receivers, RECEIVERS + THREADS);
    for (int i = 0; i < RECEIVERS; i++)
        go(receiver, i);
    for (int i = 0; i < SENDERS; i++)
        go(sender, i);
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, receiver_thread, (void *)(intptr_t)(RECEIVERS + i));
        pthread_create(&threads[THREADS + i], NULL, sender_thread, (void *)(intptr_t)(100 + i));
    }
    go_waitgroup_wait(&senders);
    for (int i = 0; i < CHANNELS; i++)
        go_close(chans[i]);
    go_waitgroup_wait(&receivers);
    for (int i = 0; i < 2 * THREADS; i++)
        pthread_join(threads[i], NULL);
    long long sum = 0;
    long count = 0;
    for (int i = 0; i < RECEIVERS + THREADS; i++) {
        sum += sums[i];
        count += counts[i];
    }
    STRESS_CHECK(count, (SENDERS + THREADS) * stress_rounds);
    STRESS_CHECK(sum, (SENDERS + THREADS) * (stress_rounds * (stress_rounds + 1) / 2));
    for (int i = 0; i < CHANNELS; i++)
        go_chan_unref(chans[i]);
    return 0;
}
