/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hazard tracker, without a device. */
#include "vk/barrier.h"

static const char *const a = "a", *const b = "b";

#define READ(M, FROM, TO)  ((SegAccess){ M, FROM, TO, FALSE })
#define WRITE(M, FROM, TO) ((SegAccess){ M, FROM, TO, TRUE })

static gboolean
add (SegHazards *h, SegAccess access)
{
  return seg_hazards_add (h, &access, 1);
}

static void
pairs (void)
{
  const struct {
    SegAccess first, second;
    gboolean barrier;
  } cases[] = {
    { WRITE (a, 0, 64), READ (a, 0, 64), TRUE },  /* read after write */
    { READ (a, 0, 64), WRITE (a, 0, 64), TRUE },  /* write after read */
    { WRITE (a, 0, 64), WRITE (a, 0, 64), TRUE }, /* write after write */
    { READ (a, 0, 64), READ (a, 0, 64), FALSE },
    { WRITE (a, 0, 64), READ (b, 0, 64), FALSE },    /* another buffer */
    { WRITE (a, 0, 64), WRITE (a, 64, 128), FALSE }, /* side by side */
    { WRITE (a, 64, 128), READ (a, 0, 64), FALSE },
    { WRITE (a, 0, 65), READ (a, 64, 128), TRUE }, /* one byte */
    { WRITE (a, 64, 128), READ (a, 0, 65), TRUE },
    { WRITE (a, 0, 1024), READ (a, 100, 104), TRUE }, /* inside */
    { READ (a, 100, 104), WRITE (a, 0, 1024), TRUE }, /* around */
    { WRITE (a, 0, 64), READ (a, 32, 32), FALSE },    /* nothing */
    { WRITE (a, 0, 64), READ (a, 1ull << 33, (1ull << 33) + 64), FALSE },
    { WRITE (a, 0, (1ull << 33) + 1), READ (a, 1ull << 33, (1ull << 33) + 64), TRUE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    SegHazards *h = seg_hazards_new ();
    g_test_message ("case %u", i);
    g_assert_false (add (h, cases[i].first));
    g_assert_cmpint (add (h, cases[i].second), ==, cases[i].barrier);
    seg_hazards_free (h);
  }
}

static void
forgets (void)
{
  SegHazards *h = seg_hazards_new ();
  g_assert_false (add (h, WRITE (a, 0, 64)));
  g_assert_false (add (h, WRITE (b, 0, 64)));
  g_assert_true (add (h, READ (a, 0, 64)));
  /* That barrier was for b too, but not for the read that came after it. */
  g_assert_false (add (h, READ (b, 0, 64)));
  g_assert_true (add (h, WRITE (a, 0, 64)));
  seg_hazards_clear (h);
  g_assert_false (add (h, WRITE (a, 0, 64)));
  seg_hazards_free (h);
}

/* One command's pieces may overlap: in place is no hazard. */
static void
in_place (void)
{
  const SegAccess accesses[] = { READ (a, 0, 64), WRITE (a, 0, 64), READ (b, 0, 64) };
  SegHazards *h = seg_hazards_new ();
  g_assert_false (seg_hazards_add (h, accesses, 3));
  g_assert_false (add (h, READ (b, 0, 64)));
  g_assert_true (seg_hazards_add (h, accesses, 3));
  seg_hazards_free (h);
}

/* The specification, byte by byte: who touched it since the last barrier. */
enum { BUFFERS = 3, BYTES = 60 };
static gboolean read_since[BUFFERS][BYTES], written_since[BUFFERS][BYTES];

static void
model_forget (void)
{
  for (guint m = 0; m < BUFFERS; m++)
    for (guint i = 0; i < BYTES; i++)
      read_since[m][i] = written_since[m][i] = FALSE;
}

static gboolean
model_add (const SegAccess *accesses, guint n, const char *const *memory)
{
  gboolean barrier = FALSE;
  for (guint pass = 0; pass < 2; pass++) {
    for (guint k = 0; k < n; k++)
      for (guint m = 0; m < BUFFERS; m++)
        for (guint64 i = accesses[k].start;
             memory[m] == accesses[k].memory && i < accesses[k].end; i++)
          if (pass == 0)
            barrier |= written_since[m][i] || (accesses[k].write && read_since[m][i]);
          else
            *(accesses[k].write ? &written_since[m][i] : &read_since[m][i]) = TRUE;
    if (pass == 0 && barrier)
      model_forget ();
  }
  return barrier;
}

static void
random_commands (void)
{
  const char *const memory[BUFFERS] = { "x", "y", "z" };
  SegHazards *h = seg_hazards_new ();
  guint n_barriers = 0;
  model_forget ();
  for (guint i = 0; i < 20000; i++) {
    SegAccess accesses[4];
    guint n = (guint) g_test_rand_int_range (1, 5);
    for (guint k = 0; k < n; k++) {
      guint64 start = (guint64) g_test_rand_int_range (0, BYTES);
      guint64 length = (guint64) g_test_rand_int_range (0, 12);
      guint64 end = MIN (start + length, BYTES);
      accesses[k] = (SegAccess){ memory[g_test_rand_int_range (0, BUFFERS)], start, end,
        g_test_rand_int_range (0, 4) == 0 };
    }
    gboolean expected = model_add (accesses, n, memory);
    g_assert_cmpint (seg_hazards_add (h, accesses, n), ==, expected);
    n_barriers += expected;
  }
  g_assert_cmpuint (n_barriers, >, 1000);
  g_assert_cmpuint (n_barriers, <, 19000);
  seg_hazards_free (h);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vk/barrier/pairs", pairs);
  g_test_add_func ("/vk/barrier/forgets", forgets);
  g_test_add_func ("/vk/barrier/in-place", in_place);
  g_test_add_func ("/vk/barrier/random", random_commands);
  return g_test_run ();
}
