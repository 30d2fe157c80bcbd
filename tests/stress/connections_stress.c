/* 10,000 connections held by two processes (crowd.h), and all that happens to servers: echoes
 * compared byte for byte in rounds, slow readers, resets, half-closes, a flood of connections past
 * the limit of descriptors, kill -9 of the clients in the middle of it. While nothing happens
 * nothing wakes up; a connection that waits, with its goroutine, keeps at most 10 KiB resident; in
 * the end no goroutine, descriptor or thread is left.
 *
 * Run as: connections_stress [CONNECTIONS [SEED [LISTEN DIAL]]]. With the hosts, which differ where
 * the link between them loses packets, there are no resets (one that is lost is not sent again),
 * slow readers, floods, and looks at rest and memory. */
#include "crowd_clients.h"
#include "crowd_server.h"

enum { MOST_BYTES = 10 << 10, SPARE = 1000, WARM = 100 };

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1, SHORT = 1200 };
#else
enum { SANITIZED = 0, SHORT = 10000 };
#endif

static bool lossy;

static void check_memory(long before, long n)
{
    long each = (crowd_resident_kib() - before) * 1024 / n;
    printf("%ld connections wait, %ld bytes each with their goroutines\n", n, each);
    if (each > MOST_BYTES) {
        fprintf(stderr, "resident memory a connection: got %ld, expected at most %d\n", each,
                MOST_BYTES);
        exit(1);
    }
}

static void hold(long n, bool measure)
{
    long before = crowd_resident_kib();
    crowd_tell("hold", n);
    crowd_tell("talk", lossy ? 1 : 3);
    STRESS_CHECK(crowd.accepted - crowd.ended, n);
    if (!measure)
        return;
    crowd_tell("watch", 0);
    crowd_check_rest(crowd.clients.pid);
    check_memory(before, n);
}

static void cycle(long n, bool measure)
{
    crowd_start_clients();
    hold(n, measure);
    crowd_half_closes(n / 20);
    if (!lossy) {
        crowd_slow_readers(32);
        crowd_resets(n / 20);
        crowd_flood(n / 20 + 20, measure);
    }
    crowd_kill(n * 500);
}

int go_main(int argc, char **argv)
{
    if (argc > 3 && strcmp(argv[1], "clients") == 0)
        return crowd_clients(argv);
    stress_begin(argc, argv, SHORT);
    long most = crowd_raise_limit() - SPARE, n = stress_rounds;
    if (n > most) {
        n = most;
        printf("only %ld connections: no more descriptors are allowed\n", n);
    }
    lossy = argc > 4;
    crowd_begin(lossy ? argv[3] : "127.0.0.1", lossy ? argv[4] : "127.0.0.1");
    cycle(n < WARM ? 2 : WARM, false); /* the first opens the poller and starts threads */
    struct crowd_resources before = crowd_resources();
    cycle(n, !lossy && !SANITIZED);
    crowd_check_resources(&before, 1 << 30);
    printf("%ld connections, %ld bytes echoed, %ld cut, %ld accepts without a descriptor\n",
           crowd.ended, crowd.bytes, crowd.cut, crowd.refused);
    crowd_end();
    crowd_wait_for_ends(1); /* who told the wait group is still to end */
    STRESS_CHECK(go_num_goroutine(), 1);
    return 0;
}
