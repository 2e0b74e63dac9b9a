/* The arena: alignment, the limit, opened ends, reset.
 * SPDX-License-Identifier: MIT */
#include "arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { KIBIBYTE = 1024, MEBIBYTE = 1024 * 1024 };

static void assert_aligned(const void *memory)
{
    assert_non_null(memory);
    assert_int_equal((uintptr_t)memory % 64, 0);
}

/* Pieces of all sizes, small and large by turns: none overlaps another, none moves. */
static void test_pieces_are_apart(void **state)
{
    (void)state;
    enum { PIECES = 2000 };
    static unsigned char *piece[PIECES];
    static size_t size[PIECES];
    api_arena *const arena = api_arena_create(SIZE_MAX);
    for (size_t index = 0; index < PIECES; ++index) {
        size[index] = index % 100 == 99 ? 300 * KIBIBYTE + index : index * 7 % 700;
        piece[index] = api_arena_allocate(arena, size[index]);
        assert_aligned(piece[index]);
        memset(piece[index], (int)(index % 251), size[index]);
    }
    for (size_t index = 0; index < PIECES; ++index)
        for (size_t at = 0; at < size[index]; ++at)
            assert_int_equal(piece[index][at], index % 251);
    api_arena_destroy(arena);
}

static void test_limit(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 1000; ++limit) {
        api_arena *const arena = api_arena_create(limit);
        assert_int_equal(api_arena_left(arena), limit);
        assert_null(api_arena_allocate(arena, limit + 1));
        size_t handed_out = 0;
        while (api_arena_left(arena) >= 10) {
            memset(api_arena_allocate(arena, 10), 1, 10);
            handed_out += 10;
            assert_true(api_arena_used(arena) >= handed_out);
        }
        assert_null(api_arena_allocate(arena, 10));
        assert_true(api_arena_used(arena) <= limit);
        assert_int_equal(api_arena_used(arena) + api_arena_left(arena), limit);
        api_arena_destroy(arena);
    }
}

static void test_all_of_the_limit(void **state)
{
    (void)state;
    for (size_t limit = 1; limit < MEBIBYTE; limit = limit * 3 + 1) {
        api_arena *const arena = api_arena_create(limit);
        memset(api_arena_allocate(arena, limit), 1, limit);
        assert_int_equal(api_arena_left(arena), 0);
        assert_null(api_arena_allocate(arena, 1));
        assert_non_null(api_arena_allocate(arena, 0));
        api_arena_destroy(arena);
    }
}

static void test_impossible_sizes(void **state)
{
    (void)state;
    api_arena *const arena = api_arena_create(SIZE_MAX);
    assert_null(api_arena_allocate(arena, SIZE_MAX));
    assert_null(api_arena_allocate(arena, SIZE_MAX - 64));
    assert_null(api_arena_allocate(arena, SIZE_MAX / 2));
    size_t granted = 1;
    assert_null(api_arena_open(arena, SIZE_MAX, &granted));
    assert_int_equal(granted, 0);
    assert_aligned(api_arena_allocate(arena, 100));
    api_arena_destroy(arena);
}

/* Far more is opened than used: only what is used counts, and the next piece follows. */
static void test_open_and_close(void **state)
{
    (void)state;
    static const size_t capacities[] = {1, 100, 10 * KIBIBYTE, MEBIBYTE, 256 * MEBIBYTE};
    for (size_t index = 0; index < sizeof capacities / sizeof *capacities; ++index)
        for (size_t used = 0; used <= capacities[index]; used = used * 5 + 1) {
            api_arena *const arena = api_arena_create(512 * (size_t)MEBIBYTE);
            size_t granted;
            unsigned char *const opened = api_arena_open(arena, capacities[index], &granted);
            assert_aligned(opened);
            assert_int_equal(granted, capacities[index]);
            memset(opened, 7, used);
            api_arena_close(arena, used);
            assert_in_range(api_arena_used(arena), used, used + 63);
            unsigned char *const after = api_arena_allocate(arena, 1000);
            assert_aligned(after);
            memset(after, 8, 1000);
            for (size_t at = 0; at < used; at += used / 10 + 1)
                assert_int_equal(opened[at], 7);
            api_arena_destroy(arena);
        }
}

static void test_open_is_cut_to_the_limit(void **state)
{
    (void)state;
    api_arena *const arena = api_arena_create(1000);
    memset(api_arena_allocate(arena, 100), 1, 100);
    const size_t left = api_arena_left(arena);
    size_t granted;
    unsigned char *const opened = api_arena_open(arena, 5000, &granted);
    assert_non_null(opened);
    assert_int_equal(granted, left);
    memset(opened, 2, granted);
    api_arena_close(arena, granted);
    assert_int_equal(api_arena_left(arena), 0);
    assert_non_null(api_arena_open(arena, 1, &granted));
    assert_int_equal(granted, 0);
    api_arena_close(arena, 0);
    api_arena_destroy(arena);
}

static void test_reset(void **state)
{
    (void)state;
    api_arena *const arena = api_arena_create(10 * MEBIBYTE);
    void *const first = api_arena_allocate(arena, 100);
    for (size_t round = 1; round <= 50; ++round) {
        for (size_t size = 1; size < MEBIBYTE; size *= 3)
            memset(api_arena_allocate(arena, size), 1, size);
        api_arena_reset(arena, round * MEBIBYTE);
        assert_int_equal(api_arena_used(arena), 0);
        assert_int_equal(api_arena_left(arena), round * MEBIBYTE);
        assert_ptr_equal(api_arena_allocate(arena, 100), first);
        api_arena_reset(arena, 10 * MEBIBYTE);
    }
    api_arena_destroy(arena);
    api_arena_destroy(NULL);
}

/* What one request filled serves the next, and what it opened but did not fill is not in the way.
 */
static void test_memory_is_kept(void **state)
{
    (void)state;
    api_arena *const arena = api_arena_create(SIZE_MAX);
    unsigned char *const kept = api_arena_allocate(arena, 3 * MEBIBYTE);
    memset(kept, 5, 3 * MEBIBYTE);
    api_arena_reset(arena, SIZE_MAX);
    size_t granted;
    assert_ptr_equal(api_arena_open(arena, 2 * MEBIBYTE, &granted), kept);
    memset(kept, 6, MEBIBYTE);
    api_arena_close(arena, MEBIBYTE);
    unsigned char *const other = api_arena_allocate(arena, 2 * MEBIBYTE);
    assert_true(other >= kept + 3 * MEBIBYTE || other + 2 * MEBIBYTE <= kept);
    memset(other, 7, 2 * MEBIBYTE);
    assert_int_equal(kept[MEBIBYTE - 1], 6);
    api_arena_reset(arena, SIZE_MAX);
    assert_in_range(api_arena_kept(arena), 5 * MEBIBYTE, 6 * MEBIBYTE);
    memset(api_arena_allocate(arena, 30 * MEBIBYTE), 8, 30 * MEBIBYTE);
    api_arena_reset(arena, SIZE_MAX);
    assert_in_range(api_arena_kept(arena), 5 * MEBIBYTE, 6 * MEBIBYTE);
    api_arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_are_apart),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_all_of_the_limit),
        cmocka_unit_test(test_impossible_sizes),
        cmocka_unit_test(test_open_and_close),
        cmocka_unit_test(test_open_is_cut_to_the_limit),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_memory_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
