/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk/barrier.h"

typedef struct {
  guint64 start, end;
} Range;

/* Sorted, apart from each other: neighbours grow together. */
typedef GArray Ranges;

typedef struct {
  gconstpointer memory;
  Ranges *read, *written;
} Touched;

struct _SegHazards {
  GArray *touched; /* Touched; a network lives in a handful of buffers */
};

static void
touched_clear (gpointer data)
{
  Touched *t = data;
  g_array_unref (t->read);
  g_array_unref (t->written);
}

SegHazards *
seg_hazards_new (void)
{
  SegHazards *h = g_new0 (SegHazards, 1);
  h->touched = g_array_new (FALSE, FALSE, sizeof (Touched));
  g_array_set_clear_func (h->touched, touched_clear);
  return h;
}

void
seg_hazards_free (SegHazards *h)
{
  if (h == NULL)
    return;
  g_array_unref (h->touched);
  g_free (h);
}

void
seg_hazards_clear (SegHazards *h)
{
  for (guint i = 0; i < h->touched->len; i++) {
    const Touched *t = &g_array_index (h->touched, Touched, i);
    g_array_set_size (t->read, 0);
    g_array_set_size (t->written, 0);
  }
}

static Touched *
find (SegHazards *h, gconstpointer memory)
{
  for (guint i = 0; i < h->touched->len; i++) {
    Touched *t = &g_array_index (h->touched, Touched, i);
    if (t->memory == memory)
      return t;
  }
  return NULL;
}

/* The first range that ends after `at`. */
static guint
first_after (const Ranges *ranges, guint64 at)
{
  guint low = 0, high = ranges->len;
  while (low < high) {
    guint middle = low + (high - low) / 2;
    if (g_array_index (ranges, Range, middle).end > at)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

static gboolean
overlaps (const Ranges *ranges, const SegAccess *a)
{
  guint i = first_after (ranges, a->start);
  return i < ranges->len && g_array_index (ranges, Range, i).start < a->end;
}

static void
insert (Ranges *ranges, const SegAccess *a)
{
  Range grown = { a->start, a->end };
  /* From the first that touches or overlaps to the first that does not. */
  guint from = a->start == 0 ? 0 : first_after (ranges, a->start - 1), to = from;
  for (; to < ranges->len && g_array_index (ranges, Range, to).start <= a->end; to++) {
    grown.start = MIN (grown.start, g_array_index (ranges, Range, to).start);
    grown.end = MAX (grown.end, g_array_index (ranges, Range, to).end);
  }
  if (to == from) {
    g_array_insert_val (ranges, from, grown);
    return;
  }
  g_array_index (ranges, Range, from) = grown;
  g_array_remove_range (ranges, from + 1, to - from - 1);
}

static gboolean
conflicts (SegHazards *h, const SegAccess *a)
{
  const Touched *t = a->start < a->end ? find (h, a->memory) : NULL;
  return t != NULL && (overlaps (t->written, a) || (a->write && overlaps (t->read, a)));
}

static void
touch (SegHazards *h, const SegAccess *a)
{
  Touched *t = find (h, a->memory);
  if (t == NULL) {
    const Touched fresh = { a->memory, g_array_new (FALSE, FALSE, sizeof (Range)),
      g_array_new (FALSE, FALSE, sizeof (Range)) };
    g_array_append_val (h->touched, fresh);
    t = &g_array_index (h->touched, Touched, h->touched->len - 1);
  }
  insert (a->write ? t->written : t->read, a);
}

gboolean
seg_hazards_add (SegHazards *h, const SegAccess *accesses, guint n)
{
  gboolean barrier = FALSE;
  for (guint i = 0; i < n && !barrier; i++)
    barrier = conflicts (h, &accesses[i]);
  if (barrier)
    seg_hazards_clear (h);
  for (guint i = 0; i < n; i++)
    if (accesses[i].start < accesses[i].end)
      touch (h, &accesses[i]);
  return barrier;
}
