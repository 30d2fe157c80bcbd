/* A fuzzer's main without the fuzzer: runs the inputs in the folders that it is given, each once.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        return 0;
    size_t room = 1 << 20;
    uint8_t *data = malloc(room);
    size_t size = fread(data, 1, room, file);
    uint8_t *exact = realloc(data, size ? size : 1); /* so that a sanitizer knows its end */
    fclose(file);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 1;
}

int main(int argc, char **argv)
{
    int count = 0;
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        struct dirent *entry;
        while (folder && (entry = readdir(folder)) != NULL)
            if (entry->d_name[0] != '.')
                count += run_file(argv[i], entry->d_name);
        if (folder)
            closedir(folder);
    }
    printf("%d inputs\n", count);
    return count > 0 ? 0 : 1;
}
