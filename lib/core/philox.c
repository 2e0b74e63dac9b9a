/* Philox4x32-10, a counter-based random number generator.
 * SPDX-License-Identifier: MIT */
#include "layer/random.h"

enum { ROUNDS = 10 };

/* Multipliers of the rounds and the Weyl sequence of the keys: Salmon et al. 2011, section 3.3. */
static const uint32_t MULTIPLIER_0 = 0xD2511F53u, MULTIPLIER_1 = 0xCD9E8D57u;
static const uint32_t WEYL_0 = 0x9E3779B9u, WEYL_1 = 0xBB67AE85u;

void layer_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t output[4])
{
    uint32_t a = counter[0], b = counter[1], c = counter[2], d = counter[3];
    uint32_t key_0 = key[0], key_1 = key[1];
    for (int round = 0; round < ROUNDS; round++) {
        const uint64_t product_0 = (uint64_t)MULTIPLIER_0 * a;
        const uint64_t product_1 = (uint64_t)MULTIPLIER_1 * c;
        a = (uint32_t)(product_1 >> 32) ^ b ^ key_0;
        b = (uint32_t)product_1;
        c = (uint32_t)(product_0 >> 32) ^ d ^ key_1;
        d = (uint32_t)product_0;
        key_0 += WEYL_0;
        key_1 += WEYL_1;
    }
    output[0] = a;
    output[1] = b;
    output[2] = c;
    output[3] = d;
}
