/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/ranking.h"

#include "shaders.h"

#include <string.h>

#define CHUNK   32 /* as in lib/ranking.glsl */
#define COLUMNS 32768

void
seg_groups_for (SegDispatch *d, guint64 n)
{
  d->groups[0] = (guint32) MIN (n, COLUMNS);
  d->groups[1] = (guint32) ((n + COLUMNS - 1) / COLUMNS);
  d->groups[2] = 1;
}

static guint32
n_chunks (const SegRanking *r)
{
  return (r->n + CHUNK - 1) / CHUNK;
}

/* What lib/ranking.glsl reads. */
static void
fill (SegProgram *p, const SegRanking *r, SegDispatch *d)
{
  SegStorage storage = seg_program_storage (p, r->source);
  d->spec[0] = r->keep;
  d->spec[1] = storage == SEG_STORAGE_F32 ? 0 : storage == SEG_STORAGE_F16 ? 1 : 2;
  d->spec[2] = r->smallest;
  d->n_spec = MAX (d->n_spec, 3);
  d->bindings[0] = (SegBinding){ seg_program_value (p, r->source), SEG_BIND_BITS };
  d->bindings[1] = (SegBinding){ r->live.ref, SEG_BIND_TEXEL };
  const guint32 push[] = { r->n, r->rows, r->inner, r->live.num, r->live.den,
    n_chunks (r), r->k };
  memcpy (d->push, push, sizeof push);
  memcpy (&d->push[7], &r->above, sizeof r->above);
  d->n_push = 8;
}

gboolean
seg_ranking_emit_chunks (
    SegProgram *p, const SegRanking *r, SegDispatch *d, GError **error)
{
  fill (p, r, d);
  seg_groups_for (d, ((guint64) r->rows * n_chunks (r) + 63) / 64);
  return seg_program_dispatch (p, d, error);
}

gboolean
seg_ranking_emit_scan (SegProgram *p, SegRef numbers, guint32 n, guint32 rows,
    SegRef totals, SegRef count, GError **error)
{
  SegDispatch d = {
    .shader = &seg_shader_ranking_scan,
    .bindings = { { numbers, SEG_BIND_BUFFER_READ_WRITE },
        { totals, SEG_BIND_BUFFER_WRITE }, { count, SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 3,
    .push = { n, rows },
    .n_push = 2,
  };
  if (count.kind == SEG_REF_NONE)
    d.bindings[2].ref = seg_program_temp (p, 4, SEG_STORAGE_I32);
  seg_groups_for (&d, rows);
  return seg_program_dispatch (p, &d, error);
}

static gboolean
emit_best (SegProgram *p, const SegRanking *r, SegRef thresholds, GError **error)
{
  SegDispatch d = {
    .shader = &seg_shader_ranking_best,
    .bindings = { [2] = { thresholds, SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 3,
  };
  fill (p, r, &d);
  seg_groups_for (&d, r->rows);
  return seg_program_dispatch (p, &d, error);
}

gboolean
seg_ranking_emit_kept (
    SegProgram *p, const SegRanking *r, SegRef count, SegKept *kept, GError **error)
{
  guint32 chunks = n_chunks (r);
  kept->n_chunks = chunks;
  kept->chunks = seg_program_temp (p, (gsize) r->rows * chunks, SEG_STORAGE_I32);
  kept->totals = seg_program_temp (p, r->rows, SEG_STORAGE_I32);
  kept->thresholds = kept->totals;
  if (r->keep == SEG_KEEP_BEST) {
    kept->thresholds = seg_program_temp (p, r->rows, SEG_STORAGE_I32);
    if (!emit_best (p, r, kept->thresholds, error))
      return FALSE;
  }
  SegDispatch d = {
    .shader = &seg_shader_ranking_count,
    .bindings = { [2] = { kept->thresholds, SEG_BIND_BITS },
        { kept->chunks, SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 4,
  };
  return seg_ranking_emit_chunks (p, r, &d, error)
         && seg_ranking_emit_scan (
             p, kept->chunks, chunks, r->rows, kept->totals, count, error);
}

gboolean
seg_ranking_emit_pairs (
    SegProgram *p, const SegRanking *r, SegKept *kept, SegRef *pairs, GError **error)
{
  if (!seg_ranking_emit_kept (p, r, (SegRef){ SEG_REF_NONE, 0 }, kept, error))
    return FALSE;
  gsize n = 2 * (gsize) r->rows * r->n;
  *pairs = seg_program_temp (p, n, SEG_STORAGE_I32);
  SegRef other = seg_program_temp (p, n, SEG_STORAGE_I32);
  SegDispatch d = {
    .shader = &seg_shader_ranking_pairs,
    .bindings = { [2] = { kept->thresholds, SEG_BIND_BITS },
        { kept->chunks, SEG_BIND_BITS },
        { *pairs, SEG_BIND_BUFFER_WRITE } },
    .n_bindings = 5,
  };
  if (!seg_ranking_emit_chunks (p, r, &d, error))
    return FALSE;
  SegDispatch sort = {
    .shader = &seg_shader_ranking_sort,
    .bindings = { { kept->totals, SEG_BIND_BITS }, { *pairs, SEG_BIND_BUFFER_READ_WRITE },
        { other, SEG_BIND_BUFFER_READ_WRITE } },
    .n_bindings = 3,
    .push = { r->n, r->rows },
    .n_push = 2,
  };
  seg_groups_for (&sort, r->rows);
  return seg_program_dispatch (p, &sort, error);
}
