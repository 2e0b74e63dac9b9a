/* Random numbers by position: element i of a stream depends on the seed and on i alone.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_RANDOM_H
#define LAYER_RANDOM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Philox4x32-10: ten rounds of a keyed bijection of 128 bits.
 * Source: Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 * Thread-safe. */
void layer_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t output[4]);

/* Element `index` of the stream `seed`, uniform in the open interval (0, 1):
 *
 *     (word + 1/2) / 2^32, word = output[index mod 4] of Philox at counter index / 4
 *
 * Counter and key are little-endian: counter = {low, high, 0, 0}, key = {low, high} of seed.
 * Thread-safe. */
double layer_random_uniform(uint64_t seed, uint64_t index);

/* Element `index` of the stream `seed`, standard normal, by the Box-Muller transform of one Philox
 * block per pair of elements, counter = {low, high, 1, 0} of index / 2:
 *
 *     u = (first 64 bits >> 11, + 1/2) / 2^53,  v = the same of the last 64 bits
 *     sqrt(-2 ln u) * cos(2 pi v) for even index, sin for odd
 *
 * 64 bits are two output words, the lower first. Computed in double. Thread-safe. */
double layer_random_normal(uint64_t seed, uint64_t index);

#ifdef __cplusplus
}
#endif
#endif
