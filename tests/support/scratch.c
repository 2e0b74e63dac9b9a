/* Files of a test.
 * SPDX-License-Identifier: MIT */
#include "support/scratch.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_PATHS = 64, PATH_SIZE = 96 }; /* short enough for a unix socket */

static char folder[PATH_SIZE / 2];
static pid_t owner;

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *place)
{
    (void)facts;
    (void)kind;
    (void)place;
    return remove(path);
}

static void remove_all(void)
{
    if (getpid() == owner)
        nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/layerd-test-XXXXXX");
    if (mkdtemp(folder) == NULL)
        abort();
    owner = getpid();
    atexit(remove_all);
}

const char *scratch_path(const char *name)
{
    static char paths[MOST_PATHS][PATH_SIZE];
    static size_t count;
    char path[PATH_SIZE];
    if (owner == 0)
        make_folder();
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (size_t i = 0; i < count; i++)
        if (strcmp(paths[i], path) == 0)
            return paths[i];
    assert_true(count < MOST_PATHS);
    return strcpy(paths[count++], path);
}

const char *scratch_write(const char *name, const char *text)
{
    const char *const path = scratch_path(name);
    FILE *const file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
        fail_msg("cannot write %s", path);
    return path;
}
