/* A bare loop over io_uring that completes the calls themselves: connections that are accepted and
 * bytes that are read come as completions of one submission for all, into buffers that the kernel
 * chooses; answers are submitted together. */
#define _GNU_SOURCE
#include "server.h"
#include <liburing.h>

enum { ROOM = 8192, BUFFERS = 2048, ENTRIES = 4096 };
enum { ACCEPT, RECEIVE, SEND };

struct loop {
    struct io_uring ring;
    struct io_uring_buf_ring *free;
    char (*buffers)[ROOM];
    int listener;
};

static struct io_uring_sqe *next(struct loop *l, int what, int fd, int buffer)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&l->ring);
    if (!sqe) {
        io_uring_submit(&l->ring);
        sqe = io_uring_get_sqe(&l->ring);
    }
    check(sqe != NULL);
    io_uring_sqe_set_data64(sqe, (uint64_t)what << 56 | (uint64_t)buffer << 32 | (uint32_t)fd);
    return sqe;
}

static void accept_more(struct loop *l)
{
    io_uring_prep_multishot_accept(next(l, ACCEPT, 0, 0), l->listener, NULL, NULL, SOCK_CLOEXEC);
}

static void receive_more(struct loop *l, int fd)
{
    struct io_uring_sqe *sqe = next(l, RECEIVE, fd, 0);
    uint64_t data = sqe->user_data;
    io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = 0;
    sqe->user_data = data;
}

static void give_back(struct loop *l, int buffer)
{
    io_uring_buf_ring_add(l->free, l->buffers[buffer], ROOM, (unsigned short)buffer,
                          io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(l->free, 1);
}

static void handle(struct loop *l, const struct io_uring_cqe *cqe)
{
    int what = (int)(cqe->user_data >> 56), fd = (int)(uint32_t)cqe->user_data;
    int buffer = (int)(cqe->user_data >> 32 & 0xffffff), n = cqe->res;
    bool more = cqe->flags & IORING_CQE_F_MORE;
    if (what == ACCEPT) {
        if (n >= 0)
            receive_more(l, n);
        if (!more)
            accept_more(l);
    } else if (what == SEND) {
        give_back(l, buffer);
    } else if (n > 0) {
        buffer = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
        struct io_uring_sqe *sqe = next(l, SEND, fd, buffer);
        uint64_t data = sqe->user_data;
        io_uring_prep_send(sqe, fd, l->buffers[buffer], (size_t)n, MSG_NOSIGNAL);
        sqe->user_data = data;
        if (!more)
            receive_more(l, fd);
    } else if (n == -ENOBUFS) {
        receive_more(l, fd);
    } else {
        close(fd);
    }
}

static void *run(void *listener)
{
    struct loop *l = calloc(1, sizeof *l);
    check(l != NULL);
    l->listener = *(int *)listener;
    struct io_uring_params p = { .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                          IORING_SETUP_CQSIZE,
                                 .cq_entries = 4 * ENTRIES };
    check(io_uring_queue_init_params(ENTRIES, &l->ring, &p) == 0);
    l->buffers = malloc((size_t)BUFFERS * ROOM);
    l->free = aligned_alloc(4096, BUFFERS * sizeof(struct io_uring_buf));
    check(l->buffers && l->free);
    io_uring_buf_ring_init(l->free);
    struct io_uring_buf_reg reg = { .ring_addr = (uint64_t)(uintptr_t)l->free,
                                    .ring_entries = BUFFERS };
    check(io_uring_register_buf_ring(&l->ring, &reg, 0) == 0);
    for (int i = 0; i < BUFFERS; i++)
        give_back(l, i);
    accept_more(l);
    for (;;) {
        io_uring_submit_and_wait(&l->ring, 1);
        struct io_uring_cqe *cqe;
        unsigned head, count = 0;
        io_uring_for_each_cqe(&l->ring, head, cqe)
        {
            handle(l, cqe);
            count++;
        }
        io_uring_cq_advance(&l->ring, count);
    }
    return NULL;
}

static long serve_echo(void)
{
    return serve(run, 0);
}

static const struct peer_row rows[] = {
    { "echo_64b_50", serve_echo },     { "echo_4k_50", serve_echo },
    { "echo_64b_1000", serve_echo },   { "echo_4k_1000", serve_echo },
    { "echo_64b_50_cpu", serve_echo }, { "echo_64b_1000_cpu", serve_echo },
    { "echo_4k_50_cpu", serve_echo },  { "echo_4k_1000_cpu", serve_echo },
};
PEER_MAIN(rows)
