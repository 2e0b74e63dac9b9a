/* What the ways of multiplying matrices share: a tile of the result is computed by one of them.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CORE_PRODUCT_TILE_H
#define LAYER_CORE_PRODUCT_TILE_H

#include "core/product.h"

/* Tiles that a way takes at most, beside those of its own. */
enum { LAYER_TILE_ROWS = 128, LAYER_TILE_COLUMNS = 512 };    /* panels */
enum { LAYER_TURNED_ROWS = 256, LAYER_TURNED_COLUMNS = 64 }; /* panels of a turned product */
enum { LAYER_ROW_COLUMNS = 1024 };                           /* a row */

/* The same of panels where the left factor is turned and so deep at most: it is turned once for
 * more columns, the right one copied once for more rows. */
enum { LAYER_OUTER_ROWS = 256, LAYER_OUTER_COLUMNS = 1024, LAYER_OUTER_DEPTH = 64 };

typedef struct layer_tiling layer_tiling;

typedef struct {
    size_t row, rows, column, columns;
} layer_tile;

typedef void layer_tile_way(const layer_tiling *call, const layer_tile *part);

struct layer_tiling {
    layer_product product;
    bool is_turned; /* the product is the transpose of what was asked for */
    const layer_run *run;
    layer_tile_way *compute;
    size_t tile_rows, tile_columns;
};

layer_tile_way layer_tile_small;   /* plain loops */
layer_tile_way layer_tile_shallow; /* right not transposed, at most LAYER_SHALLOW_DEPTH deep */
layer_tile_way layer_tile_row;     /* rows == 1, right not transposed */
layer_tile_way layer_tile_column;  /* columns == 1, left not transposed */
layer_tile_way layer_tile_panels;  /* any */

static inline const float *layer_factor_at(const layer_factor *factor, size_t row, size_t column)
{
    return factor->is_transposed ? factor->elements + column * factor->leading + row
                                 : factor->elements + row * factor->leading + column;
}

static inline float *layer_tile_result(const layer_product *product, const layer_tile *part)
{
    return product->result + part->row * product->columns + part->column;
}

#endif
