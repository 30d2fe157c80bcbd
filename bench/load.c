/* The client of the rows of input and output, the same for every contender, in a process of its
 * own: one thread with epoll. Without arguments it lists the rows. `load ROW PART CPUS PROGRAM`
 * starts `PROGRAM ROW PART` on these CPUs ("0,1"), which listens and prints a line that ends with
 * :PORT, and prints the figure. The client itself runs on the other CPUs, where there are any, and
 * spins there instead of sleeping; else it shares the server's. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_SIZE = 4096, BATCH = 128, FILE_SIZE = 1024, IDLE = 10000, RATE = 5000 };
static const int64_t second = 1000000000;

static long part = 1;
static pid_t server;
static in_port_t port; /* as the network has it */
static bool spins;     /* this process has a CPU of its own */
static int epoll_fd;
static char folder[] = "/tmp/gofer-bench-XXXXXX";
static char file[sizeof folder + 16]; /* folder/1k.txt, which http servers shall serve */

/* ---- small things ---------------------------------------------------------------------------- */

static void clean_up(void)
{
    if (server > 0)
        kill(server, SIGKILL);
    unlink(file);
    rmdir(folder);
}

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    clean_up();
    exit(1);
}

static void must(bool right, const char *what)
{
    if (!right)
        die(what);
}

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * second + t.tv_nsec;
}

/* n, or a small part of it where the run is only to show that the program works. */
static long times(long n)
{
    return n / part > 0 ? n / part : 1;
}

/* Waits until `deadline`, 0: for ever. */
static int wait_events(struct epoll_event *events, int64_t deadline)
{
    struct timespec left = { 0 }, *timeout = &left;
    int64_t ns = deadline ? deadline - now() : 0;
    if (!spins && !deadline)
        timeout = NULL;
    else if (!spins && ns > 0)
        left = (struct timespec){ ns / second, ns % second };
    int n = epoll_pwait2(epoll_fd, events, BATCH, timeout, NULL);
    must(n >= 0 || errno == EINTR, "epoll_pwait2");
    return n;
}

/* ---- connections, and what goes over them ---------------------------------------------------- */

struct client {
    int fd;
    bool busy;   /* a request is on its way */
    size_t got;  /* bytes of its answer */
    long behind; /* requests that are due and wait for the one before */
    int64_t due; /* when the request on its way should have been sent */
    char head[1024];
};

struct kind {
    const char *request;
    size_t size;
    /* whether the answer is complete, of which n more bytes have come */
    bool (*took)(struct client *c, const char *bytes, size_t n);
};
static struct kind kind;

static bool took_echo(struct client *c, const char *bytes, size_t n)
{
    must(bytes[0] == 'x' && bytes[n - 1] == 'x', "the echo is another");
    c->got += n;
    must(c->got <= kind.size, "the echo is longer");
    return c->got == kind.size;
}

/* Answers that come in several pieces are put together first. */
static bool took_http(struct client *c, const char *bytes, size_t n)
{
    static const char length[] = "\r\nContent-Length: 1024\r\n";
    static char whole[2 * MOST_SIZE];
    if (c->got) {
        must(c->got + n <= sizeof c->head + FILE_SIZE, "the answer's head is too long");
        memcpy(whole, c->head, c->got);
        memcpy(whole + c->got, bytes, n);
        bytes = whole;
        n += c->got;
    }
    const char *body = memmem(bytes, n, "\r\n\r\n", 4);
    if (!body || n < (size_t)(body + 4 - bytes) + FILE_SIZE) {
        must(n <= sizeof c->head, "the answer comes in too many pieces");
        memcpy(c->head, bytes, n);
        c->got = n;
        return false;
    }
    must(memcmp(bytes, "HTTP/1.1 200 ", 13) == 0, "the answer is not 200");
    must(memmem(bytes, (size_t)(body - bytes + 2), length, sizeof length - 1) != NULL,
         "the answer's length is another");
    must(n == (size_t)(body + 4 - bytes) + FILE_SIZE && body[4] == 'x',
         "the answer's body is another");
    return true;
}

static int connect_one(int flags)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = port,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), on = 1;
    must(fd >= 0, "socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        must(errno == EINPROGRESS, "connect");
    return fd;
}

static void ask(struct client *c)
{
    c->busy = true;
    c->got = 0;
    must(send(c->fd, kind.request, kind.size, MSG_NOSIGNAL) == (ssize_t)kind.size, "send");
}

/* Whether the answer is complete. */
static bool receive(struct client *c)
{
    char bytes[MOST_SIZE];
    ssize_t n = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return false;
    must(n > 0, "the server's end of the connection");
    c->busy = !kind.took(c, bytes, (size_t)n);
    return !c->busy;
}

/* One exchange over each, so that the server has seen them all; then they are watched. */
static struct client *connect_all(long count)
{
    struct client *clients = calloc((size_t)count, sizeof *clients);
    must(clients != NULL, "calloc");
    for (long i = 0; i < count; i++) {
        struct client *c = &clients[i];
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
        c->fd = connect_one(0);
        ask(c);
        while (!receive(c))
            ;
        must(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event) == 0, "epoll_ctl");
    }
    return clients;
}

/* ---- what is measured ------------------------------------------------------------------------ */

/* n exchanges over all connections together, each of which asks again as soon as it is answered. */
static void exchange(struct client *clients, long count, long n)
{
    struct epoll_event events[BATCH];
    long to_ask = n, to_come = n;
    for (long i = 0; i < count && to_ask > 0; i++, to_ask--)
        ask(&clients[i]);
    while (to_come > 0)
        for (int i = wait_events(events, 0); i-- > 0;) {
            struct client *c = events[i].data.ptr;
            if (!receive(c))
                continue;
            to_come--;
            if (to_ask > 0) {
                to_ask--;
                ask(c);
            }
        }
}

/* Nanoseconds of CPU that the server has used. */
static int64_t server_cpu(void)
{
    clockid_t id;
    struct timespec t;
    errno = clock_getcpuclockid(server, &id);
    must(errno == 0 && clock_gettime(id, &t) == 0, "the server's clock");
    return t.tv_sec * second + t.tv_nsec;
}

static double exchange_time(long count, long n, int64_t (*clock)(void))
{
    struct client *clients = connect_all(count);
    exchange(clients, count, times(n / 10)); /* warm */
    int64_t start = clock();
    exchange(clients, count, times(n));
    return (double)(clock() - start) / (double)times(n);
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* n requests at a fixed rate, by turns over the connections, whether the server keeps up or not: a
 * request's time counts from when it was due, also where it waited for the one before. */
static void load(struct client *clients, long count, long n, int64_t *times_taken)
{
    struct epoll_event events[BATCH];
    int64_t start = now() + second / 1000, interval = second / RATE;
    for (long asked = 0, come = 0; come < n;) {
        for (int64_t t = now(); asked < n && start + asked * interval <= t; asked++) {
            struct client *c = &clients[asked % count];
            if (c->busy) {
                c->behind++;
                continue;
            }
            c->due = start + asked * interval;
            ask(c);
        }
        for (int i = wait_events(events, asked < n ? start + asked * interval : 0); i-- > 0;) {
            struct client *c = events[i].data.ptr;
            if (!receive(c))
                continue;
            times_taken[come++] = now() - c->due;
            if (c->behind) {
                c->behind--;
                c->due += count * interval;
                ask(c);
            }
        }
    }
}

static double percentile(long count, double of)
{
    struct client *clients = connect_all(count);
    long n = times(3L * RATE);
    int64_t *taken = calloc((size_t)n, sizeof *taken);
    must(taken != NULL, "calloc");
    exchange(clients, count, times(RATE)); /* warm */
    load(clients, count, n, taken);
    qsort(taken, (size_t)n, sizeof *taken, by_size);
    return (double)taken[(long)(of * (double)(n - 1))];
}

/* Connections that the server accepts and closes. Ours are closed by a reset, so that none stays
 * behind in the kernel. */
static double accept_time(long at_once, long n, int64_t (*clock)(void))
{
    static const struct linger reset = { 1, 0 };
    struct epoll_event events[BATCH];
    int64_t start = clock();
    for (long begun = 0, done = 0; done < n;) {
        for (; begun < n && begun - done < at_once; begun++) {
            struct epoll_event event = { .events = EPOLLIN };
            event.data.fd = connect_one(SOCK_NONBLOCK);
            must(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event.data.fd, &event) == 0, "epoll_ctl");
        }
        for (int i = wait_events(events, 0); i-- > 0; done++) {
            char byte;
            must(recv(events[i].data.fd, &byte, 1, MSG_DONTWAIT) == 0, "the server's close");
            setsockopt(events[i].data.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            close(events[i].data.fd);
        }
    }
    return (double)(clock() - start) / (double)n;
}

/* The server's resident memory and page tables. */
static double server_bytes(void)
{
    char path[64], line[128];
    double kilobytes = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)server);
    FILE *status = fopen(path, "r");
    must(status != NULL, path);
    while (fgets(line, sizeof line, status))
        if (strncmp(line, "VmRSS:", 6) == 0 || strncmp(line, "VmPTE:", 6) == 0)
            kilobytes += strtod(line + 6, NULL);
    fclose(status);
    return kilobytes * 1024;
}

static double idle_bytes(long n)
{
    free(connect_all(1));
    double before = server_bytes();
    free(connect_all(n));
    return (server_bytes() - before) / (double)n;
}

/* ---- rows ------------------------------------------------------------------------------------ */

enum what { EXCHANGE, CPU, ACCEPT, ACCEPT_CPU, MEMORY, LATENCY };
static const struct row {
    const char *name;
    enum what what;
    size_t size; /* of an echo; 0: HTTP */
    long connections;
    long n;
    double of; /* a percentile */
} rows[] = {
    { "echo_64b_50", EXCHANGE, 64, 50, 100000, 0 },
    { "echo_4k_50", EXCHANGE, 4096, 50, 100000, 0 },
    { "echo_64b_1000", EXCHANGE, 64, 1000, 100000, 0 },
    { "echo_4k_1000", EXCHANGE, 4096, 1000, 100000, 0 },
    { "echo_64b_50_cpu", CPU, 64, 50, 100000, 0 },
    { "echo_64b_1000_cpu", CPU, 64, 1000, 100000, 0 },
    { "echo_4k_50_cpu", CPU, 4096, 50, 100000, 0 },
    { "echo_4k_1000_cpu", CPU, 4096, 1000, 100000, 0 },
    { "accept", ACCEPT, 1, 50, 20000, 0 },
    { "accept_cpu", ACCEPT_CPU, 1, 50, 20000, 0 },
    { "idle_connection_bytes", MEMORY, 64, IDLE, 0, 0 },
    { "http_1k", EXCHANGE, 0, 50, 50000, 0 },
    { "http_1k_p50", LATENCY, 0, 50, 0, 0.5 },
    { "http_1k_p99", LATENCY, 0, 50, 0, 0.99 },
    { "http_1k_p999", LATENCY, 0, 50, 0, 0.999 },
};

static double measure(const struct row *row)
{
    static char echo[MOST_SIZE];
    memset(echo, 'x', sizeof echo);
    kind = (struct kind){ echo, row->size, took_echo };
    if (!row->size) {
        kind.request =
            "GET /1k.txt HTTP/1.1\r\nHost: localhost\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n";
        kind.size = strlen(kind.request);
        kind.took = took_http;
    }
    switch (row->what) {
    case EXCHANGE:
        return exchange_time(row->connections, row->n, now);
    case CPU:
        return exchange_time(row->connections, row->n, server_cpu);
    case ACCEPT:
        return accept_time(row->connections, times(row->n), now);
    case ACCEPT_CPU:
        return accept_time(row->connections, times(row->n), server_cpu);
    case MEMORY:
        return idle_bytes(times(row->connections));
    default:
        return percentile(row->connections, row->of);
    }
}

/* ---- the server ------------------------------------------------------------------------------ */

static void make_file(void)
{
    char content[FILE_SIZE];
    memset(content, 'x', sizeof content);
    must(mkdtemp(folder) != NULL, folder);
    snprintf(file, sizeof file, "%s/1k.txt", folder);
    int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    must(fd >= 0 && write(fd, content, sizeof content) == FILE_SIZE, file);
    close(fd);
    setenv("GOFER_BENCH_FILES", folder, 1);
}

static void read_cpus(const char *text, cpu_set_t *cpus)
{
    char *end;
    CPU_ZERO(cpus);
    for (;; text = end + 1) {
        CPU_SET(strtoul(text, &end, 10), cpus);
        if (*end != ',')
            return;
    }
}

/* Starts it on its CPUs, and takes the others. Returns when it listens. */
static void start_server(char **command, const cpu_set_t *cpus)
{
    int ends[2];
    char line[256];
    cpu_set_t ours;
    must(pipe2(ends, O_CLOEXEC) == 0, "pipe");
    server = fork();
    must(server >= 0, "fork");
    if (server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sched_setaffinity(0, sizeof *cpus, cpus);
        dup2(ends[1], 1);
        execv(command[0], command);
        fprintf(stderr, "load: %s: %s\n", command[0], strerror(errno));
        _exit(127);
    }
    close(ends[1]);
    FILE *says = fdopen(ends[0], "r");
    must(says && fgets(line, sizeof line, says) && strrchr(line, ':'), "the server's first line");
    port = htons((in_port_t)atoi(strrchr(line, ':') + 1));
    must(sched_getaffinity(0, sizeof ours, &ours) == 0, "sched_getaffinity");
    CPU_XOR(&ours, &ours, cpus);
    spins = CPU_COUNT(&ours) > 0 && sched_setaffinity(0, sizeof ours, &ours) == 0;
}

int main(int argc, char **argv)
{
    struct rlimit files;
    cpu_set_t cpus;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (argc < 5) {
            puts(rows[i].name);
            continue;
        }
        if (strcmp(argv[1], rows[i].name) != 0)
            continue;
        part = atol(argv[2]);
        read_cpus(argv[3], &cpus);
        getrlimit(RLIMIT_NOFILE, &files);
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
        prctl(PR_SET_TIMERSLACK, 1);
        epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        make_file();
        start_server((char *[]){ argv[4], argv[1], argv[2], NULL }, &cpus);
        printf("%.2f\n", measure(&rows[i]));
        clean_up();
        return 0;
    }
    return argc < 5 ? 0 : 3;
}
