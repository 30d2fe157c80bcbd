/* See environment.h. As Go makes it: of several of one name the last counts, and where the
 * program's own is passed on to another directory, PWD says which. */
#include "io/environment.h"

#include <stdio.h>
#include <unistd.h>

extern char **environ;

/* ---- PWD ------------------------------------------------------------------------------------- */

/* Takes ".", ".." and what slashes are too many out of an absolute path, as a text. */
static void clean(char *path)
{
    char *to = path;
    for (const char *part = path + 1; *part; part += *part == '/') {
        size_t length = strcspn(part, "/");
        if (length == 2 && part[0] == '.' && part[1] == '.') {
            while (to > path && *--to != '/')
                ;
        } else if (length > 1 || (length == 1 && *part != '.')) {
            *to++ = '/';
            memmove(to, part, length);
            to += length;
        }
        part += length;
    }
    if (to == path)
        *to++ = '/';
    *to = 0;
}

/* 0, or an errno. */
static int make_pwd(const char *dir, char **pwd)
{
    static const char name[] = "PWD=";
    char *here = *dir == '/' ? NULL : get_current_dir_name();
    if (*dir != '/' && !here)
        return errno;
    int size = asprintf(pwd, "%s%s%s%s", name, here ? here : "", here ? "/" : "", dir);
    free(here);
    if (size < 0) {
        *pwd = NULL;
        return ENOMEM;
    }
    clean(*pwd + sizeof name - 1);
    return 0;
}

/* ---- the variables --------------------------------------------------------------------------- */

/* Of a variable's name, which may begin with '='; -1: it has none, as "x" has not. */
static ssize_t name_length(const char *variable)
{
    bool begins = *variable == '=';
    const char *end = strchr(variable + begins, '=');
    return end ? end - variable : begins ? 0 : -1;
}

/* Whether one of `count` variables has the name that the first has. */
static bool comes_again(char *const *variables, size_t count, const char *variable, ssize_t length)
{
    for (size_t i = 0; i < count; i++)
        if (strncmp(variables[i], variable, (size_t)length) == 0 &&
            name_length(variables[i]) == length)
            return true;
    return false;
}

/* Drops what counts not. */
static void keep_last(char **variables, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        char *variable = variables[i];
        ssize_t length = name_length(variable);
        if (length < 0 ? *variable
                       : !comes_again(variables + i + 1, count - i - 1, variable, length))
            variables[kept++] = variable;
    }
    variables[kept] = NULL;
}

int gofer_environment_make(const go_cmd *cmd, char ***variables, char **pwd)
{
    char *const *from = cmd->env ? cmd->env : environ;
    size_t count = 0;
    *variables = NULL;
    *pwd = NULL;
    int error = !cmd->env && cmd->dir ? make_pwd(cmd->dir, pwd) : 0;
    if (error)
        return error;
    while (from && from[count])
        count++;
    *variables = malloc((count + 2) * sizeof **variables);
    if (!*variables)
        return ENOMEM;
    if (count)
        memcpy(*variables, from, count * sizeof **variables);
    if (*pwd)
        (*variables)[count++] = *pwd;
    keep_last(*variables, count);
    return 0;
}
