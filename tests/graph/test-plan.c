/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/plan.h"

#define ALIGN 256

/* Largest first alone gives 1.028. */
#define MAX_MEAN 1.01

static SegPlanItem *
random_items (GRand *rand, guint n, guint n_steps)
{
  SegPlanItem *items = g_new (SegPlanItem, n + 1);
  for (guint i = 0; i < n; i++) {
    guint first = g_rand_int_range (rand, 0, n_steps);
    guint last = MIN (first + g_rand_int_range (rand, 0, 6), n_steps - 1);
    items[i] = (SegPlanItem){ g_rand_int_range (rand, 1, 100000), first, last, 0 };
  }
  return items;
}

static gboolean
collide (const SegPlanItem *a, const SegPlanItem *b)
{
  gboolean in_time = a->first <= b->last && b->first <= a->last;
  gboolean in_space =
      a->offset < b->offset + b->n_bytes && b->offset < a->offset + a->n_bytes;
  return in_time && in_space;
}

static void
check_plan (const SegPlanItem *items, guint n, gsize total, guint seed)
{
  for (guint i = 0; i < n; i++) {
    if (items[i].offset % ALIGN != 0 || items[i].offset + items[i].n_bytes > total)
      g_error ("seed %u: item %u at %zu of %zu bytes is misplaced in %zu", seed, i,
          items[i].offset, items[i].n_bytes, total);
    for (guint j = i + 1; j < n; j++)
      if (collide (&items[i], &items[j]))
        g_error ("seed %u: items %u and %u overlap", seed, i, j);
  }
}

static void
test_random (void)
{
  double ratios = 0.0;
  for (guint seed = 0; seed < 200; seed++) {
    g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
    guint n = g_rand_int_range (rand, 0, 60);
    g_autofree SegPlanItem *items = random_items (rand, n, 25);
    gsize total = seg_plan (items, n, ALIGN), peak = seg_plan_peak (items, n, ALIGN);
    check_plan (items, n, total, seed);
    if (total < peak || total > 2 * peak)
      g_error ("seed %u: arena %zu for a peak of %zu", seed, total, peak);
    ratios += peak == 0 ? 1.0 : (double) total / (double) peak;
  }
  g_test_message ("on average %.4f times the peak", ratios / 200);
  g_assert_cmpfloat (ratios / 200, <, MAX_MEAN);
}

/* A chain a -> b -> c -> ... of equal tensors needs room for two. */
static void
test_chain (void)
{
  SegPlanItem items[20];
  for (guint i = 0; i < G_N_ELEMENTS (items); i++)
    items[i] = (SegPlanItem){ 1000, i, i + 1, 0 };
  g_assert_cmpuint (seg_plan (items, G_N_ELEMENTS (items), ALIGN), ==, 2 * 1024);
  g_assert_cmpuint (seg_plan_peak (items, G_N_ELEMENTS (items), ALIGN), ==, 2 * 1024);
}

/* U-Net in small: the largest is soon gone, the second largest is the skip that stays. Largest
 * first puts the skip in the middle, and what comes late fits on neither side of it. */
static void
test_long_skip (void)
{
  SegPlanItem items[] = { { 74 << 10, 1, 2, 0 }, { 72 << 10, 2, 6, 0 },
    { 41 << 10, 5, 7, 0 }, { 39 << 10, 6, 6, 0 } };
  gsize total = seg_plan (items, G_N_ELEMENTS (items), ALIGN);
  check_plan (items, G_N_ELEMENTS (items), total, 0);
  g_assert_cmpuint (total, ==, seg_plan_peak (items, G_N_ELEMENTS (items), ALIGN));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plan/random", test_random);
  g_test_add_func ("/plan/chain", test_chain);
  g_test_add_func ("/plan/long-skip", test_long_skip);
  return g_test_run ();
}
