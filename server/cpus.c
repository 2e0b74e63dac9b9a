/* Reads the affinity mask and the control group's limits, of version 2 and 1.
 * SPDX-License-Identifier: MIT */
#include "cpus.h"

#include <math.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 4096 };

/* The first line of DIRECTORY/file. */
static bool read_line(const char *directory, const char *file, char line[LINE_SIZE])
{
    char path[2 * LINE_SIZE];
    snprintf(path, sizeof path, "%s/%s", directory, file);
    FILE *const stream = fopen(path, "re");
    if (stream == NULL)
        return false;
    const bool read = fgets(line, LINE_SIZE, stream) != NULL;
    fclose(stream);
    return read;
}

/* Where the group of `controller` is, under /sys/fs/cgroup; "" as controller means version 2.
 * A container sees its own group at the mount's root while /proc may name the host's path: the
 * root is the fallback. */
static void group_directory(const char *controller, char directory[LINE_SIZE])
{
    char line[LINE_SIZE];
    snprintf(directory, LINE_SIZE, "/sys/fs/cgroup/%s", controller);
    FILE *const stream = fopen("/proc/self/cgroup", "re");
    while (stream != NULL && fgets(line, sizeof line, stream) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *const names = strchr(line, ':');
        char *const path = names != NULL ? strchr(names + 1, ':') : NULL;
        if (path == NULL)
            continue;
        *path = '\0';
        if (strcmp(names + 1, controller) != 0)
            continue;
        char candidate[LINE_SIZE];
        snprintf(candidate, sizeof candidate, "/sys/fs/cgroup/%.64s%.3900s", controller, path + 1);
        if (access(candidate, R_OK) == 0)
            memcpy(directory, candidate, sizeof candidate);
    }
    if (stream != NULL)
        fclose(stream);
}

/* Processors by quota, or 0 where there is none. */
static double quota_cpus(void)
{
    char directory[LINE_SIZE], line[LINE_SIZE];
    double quota = 0, period = 0;
    group_directory("", directory);
    if (read_line(directory, "cpu.max", line))
        return sscanf(line, "%lf %lf", &quota, &period) == 2 && period > 0 ? quota / period : 0;
    group_directory("cpu", directory);
    if (read_line(directory, "cpu.cfs_quota_us", line))
        quota = strtod(line, NULL);
    if (read_line(directory, "cpu.cfs_period_us", line))
        period = strtod(line, NULL);
    return quota > 0 && period > 0 ? quota / period : 0;
}

size_t server_cpu_count(void)
{
    cpu_set_t set;
    int count = 1;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        count = CPU_COUNT(&set);
    else if (sysconf(_SC_NPROCESSORS_ONLN) > 0)
        count = (int)sysconf(_SC_NPROCESSORS_ONLN);
    const double quota = ceil(quota_cpus());
    if (quota >= 1 && quota < count)
        count = (int)quota;
    return count < 1 ? 1 : (size_t)count;
}

size_t server_default_memory(void)
{
    const size_t most = (size_t)1 << 30, least = (size_t)1 << 20;
    char directory[LINE_SIZE], line[LINE_SIZE] = "";
    group_directory("", directory);
    if (!read_line(directory, "memory.max", line)) {
        group_directory("memory", directory);
        if (!read_line(directory, "memory.limit_in_bytes", line))
            return most;
    }
    const double half = strtod(line, NULL) / 2; /* "max" reads as 0 */
    if (half < 1 || half >= (double)most)
        return most;
    return half < (double)least ? least : (size_t)half;
}
