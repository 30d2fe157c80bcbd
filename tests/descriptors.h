/* For tests: how many descriptors the process has open. Those into /proc are not counted: the
 * monitor has one for a moment whenever it asks the kernel about a thread, and so has this. */
#ifndef GOFER_TEST_DESCRIPTORS_H
#define GOFER_TEST_DESCRIPTORS_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* `print`: and which. */
static int count_descriptors(int print)
{
    char path[64], target[256];
    int count = 0;
    DIR *fds = opendir("/proc/self/fd");
    if (!fds)
        abort();
    for (struct dirent *entry; (entry = readdir(fds));) {
        snprintf(path, sizeof path, "/proc/self/fd/%.20s", entry->d_name);
        ssize_t length = readlink(path, target, sizeof target - 1);
        if (length <= 0)
            continue; /* no link, or closed meanwhile */
        target[length] = 0;
        if (strncmp(target, "/proc/", 6) == 0)
            continue;
        count++;
        if (print)
            fprintf(stderr, "descriptor %s: %s\n", entry->d_name, target);
    }
    closedir(fds);
    return count;
}

#endif
