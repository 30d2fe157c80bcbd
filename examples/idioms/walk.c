#define _GNU_SOURCE
#include <dirent.h>
#include <gofer.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static atomic_long files, bytes;

// Owns path.
static int walk(go_errgroup *group, char *path)
{
    go_defer(free, path);
    DIR *dir = opendir(path);
    if (!dir)
        return -1;
    go_defer(closedir, dir);
    for (struct dirent *e; (e = readdir(dir));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        char *child;
        struct stat info;
        if (asprintf(&child, "%s/%s", path, e->d_name) < 0)
            return -1;
        if (lstat(child, &info) != 0) {
            free(child);
            return -1;
        }
        if (!S_ISDIR(info.st_mode)) {
            free(child);
            files++;
            bytes += info.st_size;
        } else if (!go_errgroup_try_go(group, walk, group, child)) {
            if (walk(group, child) != 0) // all are busy: do it here
                return -1;
        }
    }
    return 0;
}

int go_main(int argc, char **argv)
{
    go_errgroup group = { 0 };
    go_errgroup_set_limit(&group, 4);
    go_errgroup_go(&group, walk, &group, strdup(argc > 1 ? argv[1] : "tree"));
    if (go_errgroup_wait(&group) != 0) {
        perror("walk");
        return 1;
    }
    printf("%ld files, %ld bytes\n", files, bytes);
    return 0;
}
// Output:
// 5 files, 90 bytes
