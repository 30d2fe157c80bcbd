#include <gofer.h>
#include <stdio.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    char text[GO_DURATION_ROOM], error[100];
    go_duration d;
    if (go_duration_parse("1h15m30.918s", &d) == 0)
        printf("%s is %.1f minutes\n", go_duration_string(d, text, sizeof text),
               go_duration_minutes(d));
    puts(go_duration_string(go_duration_round(d, GO_SECOND), text, sizeof text));
    if (go_duration_parse("1 hour", &d) != 0)
        puts(go_duration_parse_error("1 hour", error, sizeof error));
    return 0;
}
// Output:
// 1h15m30.918s is 75.5 minutes
// 1h15m31s
// time: unknown unit " hour" in duration "1 hour"
