/* Feeds a fuzzer's target files without a fuzzer: NAME_fuzz [FILE or FOLDER]...; without arguments
 * tests/fuzz/regressions/NAME.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <string.h>

static int passed;

static _Noreturn void fail(const char *path)
{
    perror(path);
    exit(1);
}

static int is_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* The name is printed first: what crashes says which file it was. The memory ends where the file
 * does. */
static void replay_file(const char *path)
{
    FILE *const file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        fail(path);
    const size_t size = (size_t)ftell(file);
    rewind(file);
    uint8_t *const data = malloc(size + 1);
    if (data == NULL || fread(data, 1, size, file) != size)
        fail(path);
    fclose(file);
    printf("%s\n", path);
    fflush(stdout);
    memmove(data + 1, data, size);
    LLVMFuzzerTestOneInput(data + 1, size);
    free(data);
    passed++;
}

static void replay(const char *path)
{
    struct dirent **entries;
    const int count = scandir(path, &entries, is_file, alphasort);
    if (count < 0) {
        replay_file(path);
        return;
    }
    for (int i = 0; i < count; i++) {
        char inner[4096];
        snprintf(inner, sizeof inner, "%s/%s", path, entries[i]->d_name);
        replay(inner);
        free(entries[i]);
    }
    free(entries);
}

static void replay_own(const char *program)
{
    char folder[512];
    const char *const slash = strrchr(program, '/');
    const char *const name = slash != NULL ? slash + 1 : program;
    snprintf(folder, sizeof folder, "tests/fuzz/regressions/%.*s", (int)strcspn(name, "_"), name);
    replay(folder);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    if (argc == 1)
        replay_own(argv[0]);
    printf("%d passed, 0 failed\n", passed);
    return 0;
}
