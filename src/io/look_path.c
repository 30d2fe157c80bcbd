/* Which file a command's name runs. */
#include "base/base.h"

#include "gofer/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* 0, or an errno. */
static int check_executable(const char *file)
{
    struct stat status;
    if (stat(file, &status) != 0)
        return errno;
    if (S_ISDIR(status.st_mode))
        return EISDIR;
    return faccessat(AT_FDCWD, file, X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

/* Looks for it in one directory, `size` bytes of a text: "" is the current one. */
static int look_in(const char *directory, size_t size, const char *name, char **found)
{
    if (asprintf(found, "%.*s/%s", size ? (int)size : 1, size ? directory : ".", name) < 0)
        return ENOMEM;
    int error = check_executable(*found);
    if (!error && **found != '/')
        error = EPERM;
    if (error)
        free(*found);
    return error;
}

/* 0, or an errno; a file that cannot be run does not end the search. */
static int search(const char *path, const char *name, char **found)
{
    for (;;) {
        size_t size = strcspn(path, ":");
        int error = look_in(path, size, name, found);
        if (!error || error == EPERM || error == ENOMEM)
            return error;
        if (!path[size])
            return ENOENT;
        path += size + 1;
    }
}

char *go_look_path(const char *name)
{
    const char *path = getenv("PATH");
    char *found = NULL;
    int error = ENOENT;
    if (strchr(name, '/')) {
        error = check_executable(name);
        if (!error && !(found = strdup(name)))
            error = ENOMEM;
    } else if (path && *path && *name) {
        error = search(path, name, &found);
    }
    if (!error)
        return found;
    *gofer_errno() = error;
    return NULL;
}
