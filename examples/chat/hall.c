/* The hall: one goroutine that holds who is there, in which room, under which name. It receives
 * clients and lines, and sends texts. */
#include "chat.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- texts ----------------------------------------------------------------------------------- */

void *need(void *memory)
{
    if (!memory)
        go_panic("chat: out of memory");
    return memory;
}

struct text *text_make(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    struct text *text = need(malloc(sizeof *text + (size_t)size + 1));
    va_start(arguments, format);
    vsnprintf(text->bytes, (size_t)size + 1, format, arguments);
    va_end(arguments);
    text->size = (size_t)size;
    atomic_init(&text->uses, 1);
    return text;
}

struct text *text_use(struct text *text)
{
    atomic_fetch_add_explicit(&text->uses, 1, memory_order_relaxed);
    return text;
}

void text_unuse(struct text *text)
{
    /* the last one's free comes after all others' reads */
    if (atomic_fetch_sub_explicit(&text->uses, 1, memory_order_acq_rel) == 1)
        free(text);
}

/* ---- who is there ---------------------------------------------------------------------------- */

static int place_of(const struct hall *hall, const struct client *client)
{
    int i = 0;
    while (i < hall->count && hall->clients[i] != client)
        i++;
    return i < hall->count ? i : -1;
}

static struct client *find_name(const struct hall *hall, const char *name)
{
    for (int i = 0; i < hall->count; i++)
        if (strcmp(hall->clients[i]->name, name) == 0)
            return hall->clients[i];
    return NULL;
}

/* Sends, unless the client is too far behind: then it is dropped soon. */
static void offer(struct hall *hall, struct client *client, struct text *text)
{
    enum { SENT, FULL };
    if (!client->is_behind && go_select(go_case_as(SENT, go_case_send(client->out, text_use(text))),
                                        go_case_as(FULL, go_case_default)) == FULL) {
        text_unuse(text);
        client->is_behind = true;
        hall->behind++;
    }
}

/* These take the text over. */
static void tell(struct hall *hall, struct client *client, struct text *text)
{
    offer(hall, client, text);
    text_unuse(text);
}

static void tell_room(struct hall *hall, const char *room, const struct client *but,
                      struct text *text)
{
    for (int i = 0; i < hall->count; i++)
        if (hall->clients[i] != but && strcmp(hall->clients[i]->room, room) == 0)
            offer(hall, hall->clients[i], text);
    text_unuse(text);
}

/* The client hears no more after what was sent to it: its writer ends, and then its reader. Its
 * memory lives until its leave was received. */
static void take_out(struct hall *hall, struct client *client)
{
    int place = place_of(hall, client);
    hall->clients[place] = hall->clients[--hall->count];
    hall->behind -= client->is_behind;
    if (client->is_behind) /* what it has not heard yet it never will */
        go_context_cancel_cause(client->ctx, EPIPE, "too slow");
    go_close(client->out);
}

/* `client` may be gone when this returns. */
static void take_out_and_tell(struct hall *hall, struct client *client)
{
    const char *why = client->is_behind ? "too slow" : go_context_cause_text(client->ctx);
    struct text *text = text_make("* %s has left%s%s%s\n", client->name, why ? " (" : "",
                                  why ? why : "", why ? ")" : "");
    char room[NAME_ROOM];
    memcpy(room, client->room, sizeof room);
    take_out(hall, client);
    tell_room(hall, room, NULL, text);
}

/* To tell the others of one may leave the next behind. */
static void drop_those_behind(struct hall *hall)
{
    for (int i = 0; hall->behind; i = i + 1 < hall->count ? i + 1 : 0)
        if (hall->clients[i]->is_behind)
            take_out_and_tell(hall, hall->clients[i]);
}

/* ---- commands -------------------------------------------------------------------------------- */

/* What becomes a name or a room: letters and digits that nothing takes for something else. */
static bool is_name(const char *text)
{
    size_t length = strlen(text);
    for (const char *at = text; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("_-", *at))
            return false;
    return length > 0 && length < NAME_ROOM;
}

static void change_name(struct hall *hall, struct client *client, const char *name)
{
    if (!is_name(name)) {
        tell(hall, client,
             text_make("* a name has 1 to %d letters, digits, _ or -\n", NAME_ROOM - 1));
    } else if (find_name(hall, name)) {
        tell(hall, client, text_make("* the name %s is taken\n", name));
    } else {
        struct text *text = text_make("* %s is now %s\n", client->name, name);
        snprintf(client->name, sizeof client->name, "%s", name);
        tell_room(hall, client->room, NULL, text);
    }
}

static void change_room(struct hall *hall, struct client *client, const char *room)
{
    char before[NAME_ROOM];
    if (!is_name(room)) {
        tell(hall, client,
             text_make("* a room's name has 1 to %d letters, digits, _ or -\n", NAME_ROOM - 1));
        return;
    }
    memcpy(before, client->room, sizeof before);
    snprintf(client->room, sizeof client->room, "%s", room);
    tell_room(hall, before, client, text_make("* %s has gone to %s\n", client->name, room));
    tell_room(hall, room, NULL, text_make("* %s has come to %s\n", client->name, room));
}

static void list_room(struct hall *hall, struct client *client, const char *argument)
{
    char *names = NULL;
    size_t size;
    FILE *list = need(open_memstream(&names, &size));
    (void)argument;
    for (int i = 0; i < hall->count; i++)
        if (strcmp(hall->clients[i]->room, client->room) == 0)
            fprintf(list, " %s", hall->clients[i]->name);
    if (fclose(list) != 0)
        need(NULL);
    tell(hall, client, text_make("* in %s:%s\n", client->room, names));
    free(names);
}

static void quit(struct hall *hall, struct client *client, const char *argument)
{
    (void)argument;
    tell(hall, client, text_make("* goodbye\n"));
    take_out_and_tell(hall, client);
}

static void help(struct hall *hall, struct client *client, const char *argument)
{
    (void)argument;
    tell(hall, client,
         text_make("* /nick NAME, /join ROOM, /who, /quit; all else is said to "
                   "who is in your room\n"));
}

static const struct {
    const char *name;
    void (*run)(struct hall *hall, struct client *client, const char *argument);
} commands[] = {
    { "/nick", change_name }, { "/join", change_room }, { "/who", list_room },
    { "/quit", quit },        { "/help", help },
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void obey(struct hall *hall, struct client *client, char *text)
{
    char *argument = text + strcspn(text, " ");
    if (*argument)
        *argument++ = 0;
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, text) == 0) {
            commands[i].run(hall, client, argument);
            return;
        }
    tell(hall, client, text_make("* there is no %.20s; /help has what there is\n", text));
}

/* ---- what comes in --------------------------------------------------------------------------- */

static void goodbye(struct hall *hall, struct client *client)
{
    tell(hall, client, text_make("* the server stops: goodbye\n"));
    take_out(hall, client);
}

static void join(struct hall *hall, struct client *client)
{
    snprintf(client->room, sizeof client->room, "lobby");
    do
        snprintf(client->name, sizeof client->name, "guest%u", ++hall->guests);
    while (find_name(hall, client->name));
    hall->clients[hall->count++] = client;
    if (go_context_err(hall->stopping)) {
        goodbye(hall, client);
        return;
    }
    tell_room(hall, client->room, client, text_make("* %s is here\n", client->name));
    tell(hall, client, text_make("* welcome to the lobby, %s; /help says how\n", client->name));
}

/* The length of the character at `at`; 0 where it is none of UTF-8, or a control character: below
 * the space, 127, U+0080 to U+009F. */
static size_t shown(const char *at)
{
    static const uint32_t least[] = { ' ', 0xa0, 0x800, 0x10000 }; /* of each length */
    unsigned char first = (unsigned char)*at;
    size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    uint32_t code = length == 1 ? first : first & (0x7fu >> length);
    if ((first & 0xc0) == 0x80 || first >= 0xf8)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3f);
    }
    return code >= least[length - 1] && code != 127 && code <= 0x10ffff ? length : 0;
}

/* Terminals obey control characters, some also those that are one byte above 127. */
static void make_harmless(char *text)
{
    while (*text) {
        size_t length = shown(text);
        if (!length)
            *text = '?';
        text += length ? length : 1;
    }
}

static void hear(struct hall *hall, struct line line)
{
    struct client *from = line.from;
    if (place_of(hall, from) < 0) {
        /* taken out while its line was on the way */
    } else if (!line.text) {
        tell(hall, from,
             text_make("* a line has at most %zu bytes; yours went to nobody\n",
                       hall->settings->longest_line));
    } else {
        make_harmless(line.text);
        if (line.text[0] == '/')
            obey(hall, from, line.text);
        else if (line.text[0])
            tell_room(hall, from->room, from, text_make("<%s> %s\n", from->name, line.text));
    }
    free(line.text);
}

void hall_run(struct hall *hall)
{
    enum { JOIN, LEAVE, LINE, STOP };
    go_chan(go_unit) stop = go_context_done(hall->stopping);
    hall->clients = need(calloc((size_t)hall->settings->most_clients, sizeof(struct client *)));
    for (;;) {
        struct client *client;
        struct line line;
        int some;
        switch (go_select(go_case_as(JOIN, go_case_recv_ok(hall->joins, &client, &some)),
                          go_case_as(LEAVE, go_case_recv(hall->leaves, &client)),
                          go_case_as(LINE, go_case_recv(hall->lines, &line)),
                          go_case_as(STOP, go_case_recv(stop, NULL)))) {
        case JOIN:
            if (!some) {
                free(hall->clients);
                return;
            }
            join(hall, client);
            break;
        case LEAVE:
            if (place_of(hall, client) >= 0) /* else its memory may be gone */
                take_out_and_tell(hall, client);
            break;
        case LINE:
            hear(hall, line);
            break;
        case STOP:
            stop = NULL; /* never ready again */
            while (hall->count)
                goodbye(hall, hall->clients[hall->count - 1]);
            break;
        }
        drop_those_behind(hall);
    }
}
