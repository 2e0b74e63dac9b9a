/* The library's instruction sets, by number and name.
 * SPDX-License-Identifier: MIT */
#include "api/api.h"

#include "layer/isa.h"

#include <string.h>

bool api_isa_find(const char *name, int *isa)
{
    for (layer_isa at = LAYER_ISA_AUTO; at <= layer_isa_best(); at++)
        if (strcmp(layer_isa_name(at), name) == 0) {
            *isa = (int)at;
            return true;
        }
    return false;
}

const char *api_isa_name(int isa)
{
    return layer_isa_name(isa == LAYER_ISA_AUTO ? layer_isa_best() : (layer_isa)isa);
}
