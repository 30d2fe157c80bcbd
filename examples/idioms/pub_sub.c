#include <gofer.h>
#include <stdio.h>
#include <string.h>

typedef go_chan(const char *) messages;

struct topic {
    go_mutex mutex; // guards the rest
    messages subscribers[8];
    int count;
};

static messages subscribe(struct topic *t)
{
    messages c = go_chan_make(const char *, 16);
    go_mutex_lock(&t->mutex);
    go_defer(go_mutex_unlock, &t->mutex);
    return t->subscribers[t->count++] = c;
}

// publish waits for nobody: a subscriber with a full buffer misses the message.
static void publish(struct topic *t, const char *message)
{
    go_mutex_lock(&t->mutex);
    go_defer(go_mutex_unlock, &t->mutex);
    for (int i = 0; i < t->count; i++)
        go_try_send(t->subscribers[i], message);
}

static void close_topic(struct topic *t)
{
    go_mutex_lock(&t->mutex);
    go_defer(go_mutex_unlock, &t->mutex);
    for (int i = 0; i < t->count; i++)
        go_close(t->subscribers[i]);
}

static void listen_to(messages c, char *heard)
{
    go_range (m, c)
        strcat(strcat(heard, " "), m);
    go_chan_unref(c);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    struct topic news = { 0 };
    char heard[2][80] = { "", "" };
    go_waitgroup listeners = { 0 };
    go_waitgroup_go(&listeners, listen_to, subscribe(&news), heard[0]);
    publish(&news, "one");
    go_waitgroup_go(&listeners, listen_to, subscribe(&news), heard[1]);
    publish(&news, "two");
    publish(&news, "three");
    close_topic(&news);
    go_waitgroup_wait(&listeners);
    printf("first:%s\nsecond:%s\n", heard[0], heard[1]);
    return 0;
}
// Output:
// first: one two three
// second: two three
