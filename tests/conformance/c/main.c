#include "case.h"

struct test_case *test_cases;

int go_main(int argc, char **argv)
{
    for (struct test_case *entry = test_cases; entry; entry = entry->next) {
        if (argc < 2)
            puts(entry->name);
        else if (strcmp(entry->name, argv[1]) == 0)
            return entry->run();
    }
    return argc < 2 ? 0 : 3;
}
