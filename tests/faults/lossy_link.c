/* Runs a program in a network of its own, in which packets to FAR (10.9.0.2) are delayed and some
 * of them lost, doubled or overtaken by others: a link that needs nothing of the kernel but
 * /dev/net/tun.
 *
 *     lossy_link LOSS_PER_THOUSAND DELAY_MS PROGRAM ARGUMENTS…
 *
 * FAR is this machine too, seen from the other end: a packet from NEAR to FAR comes out of the
 * device, and goes back in with the two addresses swapped, which no checksum minds. So who dials
 * FAR reaches who listens at NEAR, over the link in both directions.
 *
 * Exits as the program does; 77 where the machine allows no such network. */
#define _GNU_SOURCE 1
#include <gofer.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NEAR "10.9.0.1"

enum { MOST_BYTES = 2000, DOUBLED_PER_THOUSAND = 10, UNEVEN_MS = 2 };

struct packet {
    size_t size;
    unsigned char bytes[];
};

static int device;
static unsigned loss;
static go_duration delay;
static _Atomic long passed, lost;

static void give_up(const char *what)
{
    printf("no network of its own here: %s: %s\n", what, strerror(errno));
    exit(77);
}

/* ---- the network ----------------------------------------------------------------------------- */

static void set_up(int socket, const char *name, const char *address)
{
    struct ifreq request = { .ifr_flags = IFF_UP | IFF_RUNNING };
    struct sockaddr_in *to = (struct sockaddr_in *)&request.ifr_addr;
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (address) {
        request.ifr_flags = 0;
        to->sin_family = AF_INET;
        to->sin_addr.s_addr = inet_addr(address);
        if (ioctl(socket, SIOCSIFADDR, &request) != 0)
            give_up("SIOCSIFADDR");
        to->sin_addr.s_addr = inet_addr("255.255.255.0");
        if (ioctl(socket, SIOCSIFNETMASK, &request) != 0)
            give_up("SIOCSIFNETMASK");
        request.ifr_flags = IFF_UP | IFF_RUNNING;
    }
    if (ioctl(socket, SIOCSIFFLAGS, &request) != 0)
        give_up("SIOCSIFFLAGS");
}

/* While the process has one thread. */
static void make_network(void)
{
    struct ifreq request = { .ifr_name = "lossy", .ifr_flags = IFF_TUN | IFF_NO_PI };
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        give_up("unshare");
    device = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (device < 0 || ioctl(device, TUNSETIFF, &request) != 0)
        give_up("/dev/net/tun");
    int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    set_up(any, "lo", NULL);
    set_up(any, "lossy", NEAR);
    close(any);
}

/* ---- the link -------------------------------------------------------------------------------- */

static void deliver(go_fd *link, struct packet *packet, go_duration after)
{
    go_sleep(after);
    go_fd_write(link, packet->bytes, packet->size);
    free(packet);
}

static struct packet *swapped(const unsigned char *bytes, size_t size)
{
    struct packet *packet = malloc(sizeof *packet + size);
    if (!packet)
        abort();
    packet->size = size;
    memcpy(packet->bytes, bytes, size);
    memcpy(packet->bytes + 12, bytes + 16, 4);
    memcpy(packet->bytes + 16, bytes + 12, 4);
    return packet;
}

static unsigned random_below(unsigned n)
{
    return (unsigned)rand() % n; /* one goroutine's */
}

static void carry(go_fd *link)
{
    unsigned char bytes[MOST_BYTES];
    ssize_t n;
    while ((n = go_fd_read(link, bytes, sizeof bytes)) > 0) {
        if (n < 20 || bytes[0] >> 4 != 4)
            continue;
        if (random_below(1000) < loss) {
            lost++;
            continue;
        }
        passed++;
        for (int copies = random_below(1000) < DOUBLED_PER_THOUSAND ? 2 : 1; copies > 0; copies--) {
            bool uneven = random_below(100) == 0;
            go(deliver, link, swapped(bytes, (size_t)n),
               delay + (uneven ? UNEVEN_MS * GO_MILLISECOND : 0));
        }
    }
}

static int run(int argc, char **argv)
{
    (void)argc;
    go_fd *link = go_fd_new(device);
    if (!link)
        give_up("watching /dev/net/tun");
    go(carry, link);
    go_cmd cmd = {
        .argv = argv, .in = GO_CMD_INHERIT, .out = GO_CMD_INHERIT, .err = GO_CMD_INHERIT
    };
    int status = go_cmd_run(&cmd);
    if (status < 0)
        perror(argv[0]);
    fprintf(stderr, "the link carried %ld packets and lost %ld\n", passed, lost);
    return status < 0 ? 127 : status;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: lossy_link LOSS_PER_THOUSAND DELAY_MS PROGRAM ARGUMENTS…\n");
        return 2;
    }
    loss = (unsigned)atoi(argv[1]);
    delay = atoi(argv[2]) * GO_MILLISECOND;
    make_network();
    exit(go_run(run, argc - 3, argv + 3));
}
