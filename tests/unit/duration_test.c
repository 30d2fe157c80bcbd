/* Durations as text, from text, rounded and in other units, against tables printed by Go. */
#include "unit.h"

static void texts(void)
{
    static const struct {
        go_duration d;
        const char *text;
    } texts[] = {
        { 0, "0s" },
        { 1, "1ns" },
        { -1, "-1ns" },
        { 999, "999ns" },
        { 1000, "1\302\265s" },
        { 1001, "1.001\302\265s" },
        { 1100, "1.1\302\265s" },
        { 2200, "2.2\302\265s" },
        { 999999, "999.999\302\265s" },
        { 1000000, "1ms" },
        { 1500000, "1.5ms" },
        { 3300000, "3.3ms" },
        { 999999999, "999.999999ms" },
        { 1000000000, "1s" },
        { 1000000001, "1.000000001s" },
        { 1500000000, "1.5s" },
        { 59999999999, "59.999999999s" },
        { 60000000000, "1m0s" },
        { 61000000000, "1m1s" },
        { 245000000000, "4m5s" },
        { 3600000000000, "1h0m0s" },
        { 3723500000000, "1h2m3.5s" },
        { 3599999999999, "59m59.999999999s" },
        { 86400000000000, "24h0m0s" },
        { 18367001000000, "5h6m7.001s" },
        { 480000000001, "8m0.000000001s" },
        { 9223372036854775807, "2562047h47m16.854775807s" },
        { INT64_MIN, "-2562047h47m16.854775808s" },
        { -9223372036854775807, "-2562047h47m16.854775807s" },
        { -1500000, "-1.5ms" },
        { -3723500000000, "-1h2m3.5s" },
    };
    char text[GO_DURATION_ROOM];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        go_duration back = 1;
        CHECK_TEXT(go_duration_string(texts[i].d, text, sizeof text), texts[i].text);
        CHECK(go_duration_parse(text, &back), 0);
        CHECK(back, texts[i].d);
    }
}

static void cut(void)
{
    char text[8] = "1234567";
    CHECK_TEXT(go_duration_string(3723500000000, text, 0), "1234567");
    CHECK_TEXT(go_duration_string(3723500000000, text, 4), "1h2");
    CHECK_TEXT(text + 4, "567");
    CHECK_TEXT(go_duration_parse_error("x", text, 0), "1h2");
    CHECK_TEXT(go_duration_parse_error("x", text, 1), "");
    CHECK_TEXT(go_duration_parse_error("x", text, 6), "time:");
}

static void parses(void)
{
    static const struct {
        const char *text;
        go_duration d;
        const char *error;
    } parses[] = {
        { "", 0, "time: invalid duration \"\"" },
        { "0", 0, "" },
        { "+0", 0, "" },
        { "-0", 0, "" },
        { "00", 0, "time: missing unit in duration \"00\"" },
        { "5s", 5000000000, "" },
        { "30s", 30000000000, "" },
        { "1478s", 1478000000000, "" },
        { "-5s", -5000000000, "" },
        { "+5s", 5000000000, "" },
        { "5.0s", 5000000000, "" },
        { "5.6s", 5600000000, "" },
        { "5.s", 5000000000, "" },
        { ".5s", 500000000, "" },
        { "1.0s", 1000000000, "" },
        { "1.00s", 1000000000, "" },
        { "1.004s", 1004000000, "" },
        { "1.0040s", 1004000000, "" },
        { "100.00100s", 100001000000, "" },
        { "10ns", 10, "" },
        { "11us", 11000, "" },
        { "12\302\265s", 12000, "" },
        { "12\316\274s", 12000, "" },
        { "13ms", 13000000, "" },
        { "14s", 14000000000, "" },
        { "15m", 900000000000, "" },
        { "16h", 57600000000000, "" },
        { "3h30m", 12600000000000, "" },
        { "10.5s4m", 250500000000, "" },
        { "-2m3.4s", -123400000000, "" },
        { "1h2m3s4ms5us6ns", 3723004005006, "" },
        { "39h9m14.425s", 140954425000000, "" },
        { "52763797000ns", 52763797000, "" },
        { "0.3333333333333333333h", 1200000000000, "" },
        { "9007199254740993ns", 9007199254740993, "" },
        { "9223372036854775807ns", 9223372036854775807, "" },
        { "9223372036854775.807us", 9223372036854775807, "" },
        { "9223372036s854ms775us807ns", 9223372036854775807, "" },
        { "-9223372036854775808ns", INT64_MIN, "" },
        { "-9223372036854775.808us", INT64_MIN, "" },
        { "-9223372036s854ms775us808ns", INT64_MIN, "" },
        { "-2562047h47m16.854775808s", INT64_MIN, "" },
        { "0.100000000000000000000h", 360000000000, "" },
        { "0.830103483285477580700h", 2988372539827, "" },
        { "3", 0, "time: missing unit in duration \"3\"" },
        { "-", 0, "time: invalid duration \"-\"" },
        { "s", 0, "time: invalid duration \"s\"" },
        { ".", 0, "time: invalid duration \".\"" },
        { "-.", 0, "time: invalid duration \"-.\"" },
        { ".s", 0, "time: invalid duration \".s\"" },
        { "+.s", 0, "time: invalid duration \"+.s\"" },
        { "1d", 0, "time: unknown unit \"d\" in duration \"1d\"" },
        { "1 h", 0, "time: unknown unit \" h\" in duration \"1 h\"" },
        { "3000000h", 0, "time: invalid duration \"3000000h\"" },
        { "9223372036854775808ns", 0, "time: invalid duration \"9223372036854775808ns\"" },
        { "9223372036854775.808us", 0, "time: invalid duration \"9223372036854775.808us\"" },
        { "9223372036854ms775us808ns", 0, "time: invalid duration \"9223372036854ms775us808ns\"" },
        { "-9223372036854775809ns", 0, "time: invalid duration \"-9223372036854775809ns\"" },
        { "99999999999999999999s", 0, "time: invalid duration \"99999999999999999999s\"" },
        { "1.5", 0, "time: missing unit in duration \"1.5\"" },
        { "1e3s", 0, "time: unknown unit \"e\" in duration \"1e3s\"" },
        { "1h-2m", 0, "time: unknown unit \"h-\" in duration \"1h-2m\"" },
        { "\205\205", 0, "time: invalid duration \"\\x85\\x85\"" },
        { "\377ff", 0, "time: invalid duration \"\\xffff\"" },
        { "hello \377ff world", 0, "time: invalid duration \"hello \\xffff world\"" },
        { "\357\277\275", 0, "time: invalid duration \"\\xef\\xbf\\xbd\"" },
        { "1\001\"\\\177s", 0,
          "time: unknown unit \"\\x01\\\"\\\\\177s\" in duration \"1\\x01\\\"\\\\\177s\"" },
        { "1h ", 0, "time: unknown unit \"h \" in duration \"1h \"" },
        { " 1h", 0, "time: invalid duration \" 1h\"" },
        { "1H", 0, "time: unknown unit \"H\" in duration \"1H\"" },
        { "--1s", 0, "time: invalid duration \"--1s\"" },
        { "1..5s", 0, "time: missing unit in duration \"1..5s\"" },
        { "2562047h47m16.854775807s", 9223372036854775807, "" },
        { "2562047h47m16.854775808s", 0, "time: invalid duration \"2562047h47m16.854775808s\"" },
        { "1hh", 0, "time: unknown unit \"hh\" in duration \"1hh\"" },
        { "5ns1", 0, "time: missing unit in duration \"5ns1\"" },
        { "9223372036854775807.9ns", 9223372036854775807, "" },
        { "0.0000000009999h", 3599, "" },
        { "1.9ns", 1, "" },
    };
    char error[200];
    for (size_t i = 0; i < sizeof parses / sizeof *parses; i++) {
        go_duration d = 42;
        int fails = *parses[i].error != 0;
        CHECK_TEXT(go_duration_parse_error(parses[i].text, error, sizeof error), parses[i].error);
        errno = 0;
        CHECK(go_duration_parse(parses[i].text, &d), fails ? -1 : 0);
        CHECK(errno, fails ? EINVAL : 0);
        CHECK(d, fails ? 42 : parses[i].d);
    }
    CHECK(go_duration_parse(NULL, NULL), -1);
}

static void rounds(void)
{
    static const struct {
        go_duration d, m, rounded, truncated;
    } rounds[] = {
        { 0, -1, 0, 0 },
        { 0, 0, 0, 0 },
        { 0, 1, 0, 0 },
        { 0, 2, 0, 0 },
        { 0, 1000, 0, 0 },
        { 0, 3600000000000, 0, 0 },
        { 0, 9223372036854775807, 0, 0 },
        { 1, -1, 1, 1 },
        { 1, 0, 1, 1 },
        { 1, 1, 1, 1 },
        { 1, 2, 2, 0 },
        { 1, 1000, 0, 0 },
        { 1, 3600000000000, 0, 0 },
        { 1, 9223372036854775807, 0, 0 },
        { 1499, -1, 1499, 1499 },
        { 1499, 0, 1499, 1499 },
        { 1499, 1, 1499, 1499 },
        { 1499, 2, 1500, 1498 },
        { 1499, 1000, 1000, 1000 },
        { 1499, 3600000000000, 0, 0 },
        { 1499, 9223372036854775807, 0, 0 },
        { 1500, -1, 1500, 1500 },
        { 1500, 0, 1500, 1500 },
        { 1500, 1, 1500, 1500 },
        { 1500, 2, 1500, 1500 },
        { 1500, 1000, 2000, 1000 },
        { 1500, 3600000000000, 0, 0 },
        { 1500, 9223372036854775807, 0, 0 },
        { 1501, -1, 1501, 1501 },
        { 1501, 0, 1501, 1501 },
        { 1501, 1, 1501, 1501 },
        { 1501, 2, 1502, 1500 },
        { 1501, 1000, 2000, 1000 },
        { 1501, 3600000000000, 0, 0 },
        { 1501, 9223372036854775807, 0, 0 },
        { -1499, -1, -1499, -1499 },
        { -1499, 0, -1499, -1499 },
        { -1499, 1, -1499, -1499 },
        { -1499, 2, -1500, -1498 },
        { -1499, 1000, -1000, -1000 },
        { -1499, 3600000000000, 0, 0 },
        { -1499, 9223372036854775807, 0, 0 },
        { -1500, -1, -1500, -1500 },
        { -1500, 0, -1500, -1500 },
        { -1500, 1, -1500, -1500 },
        { -1500, 2, -1500, -1500 },
        { -1500, 1000, -2000, -1000 },
        { -1500, 3600000000000, 0, 0 },
        { -1500, 9223372036854775807, 0, 0 },
        { -1501, -1, -1501, -1501 },
        { -1501, 0, -1501, -1501 },
        { -1501, 1, -1501, -1501 },
        { -1501, 2, -1502, -1500 },
        { -1501, 1000, -2000, -1000 },
        { -1501, 3600000000000, 0, 0 },
        { -1501, 9223372036854775807, 0, 0 },
        { 5400000000000, -1, 5400000000000, 5400000000000 },
        { 5400000000000, 0, 5400000000000, 5400000000000 },
        { 5400000000000, 1, 5400000000000, 5400000000000 },
        { 5400000000000, 2, 5400000000000, 5400000000000 },
        { 5400000000000, 1000, 5400000000000, 5400000000000 },
        { 5400000000000, 3600000000000, 7200000000000, 3600000000000 },
        { 5400000000000, 9223372036854775807, 0, 0 },
        { 9223372036854775807, -1, 9223372036854775807, 9223372036854775807 },
        { 9223372036854775807, 0, 9223372036854775807, 9223372036854775807 },
        { 9223372036854775807, 1, 9223372036854775807, 9223372036854775807 },
        { 9223372036854775807, 2, 9223372036854775807, 9223372036854775806 },
        { 9223372036854775807, 1000, 9223372036854775807, 9223372036854775000 },
        { 9223372036854775807, 3600000000000, 9223372036854775807, 9223369200000000000 },
        { 9223372036854775807, 9223372036854775807, 9223372036854775807, 9223372036854775807 },
        { INT64_MIN, -1, INT64_MIN, INT64_MIN },
        { INT64_MIN, 0, INT64_MIN, INT64_MIN },
        { INT64_MIN, 1, INT64_MIN, INT64_MIN },
        { INT64_MIN, 2, INT64_MIN, INT64_MIN },
        { INT64_MIN, 1000, INT64_MIN, -9223372036854775000 },
        { INT64_MIN, 3600000000000, INT64_MIN, -9223369200000000000 },
        { INT64_MIN, 9223372036854775807, -9223372036854775807, -9223372036854775807 },
    };
    for (size_t i = 0; i < sizeof rounds / sizeof *rounds; i++) {
        CHECK(go_duration_round(rounds[i].d, rounds[i].m), rounds[i].rounded);
        CHECK(go_duration_truncate(rounds[i].d, rounds[i].m), rounds[i].truncated);
    }
}

static void units(void)
{
    static const struct {
        go_duration d;
        double hours, minutes, seconds;
        int64_t milliseconds, microseconds;
        go_duration length;
    } units[] = {
        { 0, 0x0p+00, 0x0p+00, 0x0p+00, 0, 0, 0 },
        { 1, 0x1.38bffe4ddaebep-42, 0x1.2533fe68fd3d2p-36, 0x1.12e0be826d695p-30, 0, 0, 1 },
        { -1, -0x1.38bffe4ddaebep-42, -0x1.2533fe68fd3d2p-36, -0x1.12e0be826d695p-30, 0, 0, 1 },
        { 1500000, 0x1.bf647612f3696p-22, 0x1.a36e2eb1c432dp-16, 0x1.89374bc6a7efap-10, 1, 1500,
          1500000 },
        { 1999999999, 0x1.234567873a4dfp-11, 0x1.1111110ec6a91p-05, 0x1.fffffffbb47dp+00, 1999,
          1999999, 1999999999 },
        { 5400000000001, 0x1.80000000004e3p+00, 0x1.6800000000495p+06, 0x1.518000000044cp+12,
          5400000, 5400000000, 5400000000001 },
        { -3723500000000, -0x1.08c83fb72ea62p+00, -0x1.f077777777777p+05, -0x1.d17p+11, -3723500,
          -3723500000, 3723500000000 },
        { 9223372036854775807, 0x1.38bffe4ddaebep+21, 0x1.2533fe68fd3d2p+27, 0x1.12e0be826d695p+33,
          9223372036854, 9223372036854775, 9223372036854775807 },
        { INT64_MIN, -0x1.38bffe4ddaebep+21, -0x1.2533fe68fd3d2p+27, -0x1.12e0be826d695p+33,
          -9223372036854, -9223372036854775, 9223372036854775807 },
    };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        CHECK(go_duration_hours(units[i].d) == units[i].hours, 1);
        CHECK(go_duration_minutes(units[i].d) == units[i].minutes, 1);
        CHECK(go_duration_seconds(units[i].d) == units[i].seconds, 1);
        CHECK(go_duration_milliseconds(units[i].d), units[i].milliseconds);
        CHECK(go_duration_microseconds(units[i].d), units[i].microseconds);
        CHECK(go_duration_nanoseconds(units[i].d), units[i].d);
        CHECK(go_duration_abs(units[i].d), units[i].length);
    }
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    texts();
    cut();
    parses();
    rounds();
    units();
    return 0;
}
