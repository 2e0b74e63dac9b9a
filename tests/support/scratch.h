/* Files of a test, in a folder of its own that goes when the program ends.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_SCRATCH_H
#define SUPPORT_SCRATCH_H

/* The path of a file there, which need not exist. Stays until the program ends. */
const char *scratch_path(const char *name);

/* Writes a file there, in place of the one that there may be; its path. */
const char *scratch_write(const char *name, const char *text);

#endif
