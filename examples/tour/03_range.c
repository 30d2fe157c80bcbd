#include <gofer.h>
#include <stdio.h>

static void produce(go_chan(const char *) words)
{
    go_send(words, "one");
    go_send(words, "two");
    go_send(words, "three"); // the buffer has room for two: this one may wait
    go_close(words);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_chan(const char *) words = go_chan_make(const char *, 2);
    go(produce, words);
    go_range (word, words)
        printf("%s\n", word);
    const char *word = "unchanged";
    int ok = go_recv_ok(words, &word);
    printf("closed: ok %d, value %s\n", ok, word ? word : "NULL");
    go_chan_unref(words);
    return 0;
}
// Output:
// one
// two
// three
// closed: ok 0, value NULL
