/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The numbers of kinds in C and in GLSL, and functions of one variable at their edges.
 * Argument: the source folder. */
#include "graph/act.h"
#include "lib/tap.h"
#include "ops/binary.h"

#include <math.h>
#include <string.h>

/* --- numbers of kinds ------------------------------------------------------------------------ */

#define KIND(name)                                                                       \
  {                                                                                      \
#name, SEG_##name                                                                    \
  }
typedef struct {
  const char *name;
  int number;
} Kind;

static const Kind act_kinds[] = {
  KIND (ACT_NONE),
  KIND (ACT_RELU),
  KIND (ACT_LEAKY_RELU),
  KIND (ACT_ELU),
  KIND (ACT_SELU),
  KIND (ACT_CELU),
  KIND (ACT_THRESHOLDED_RELU),
  KIND (ACT_CLIP),
  KIND (ACT_SIGMOID),
  KIND (ACT_HARD_SIGMOID),
  KIND (ACT_SILU),
  KIND (ACT_HARD_SWISH),
  KIND (ACT_MISH),
  KIND (ACT_GELU_ERF),
  KIND (ACT_GELU_TANH),
  KIND (ACT_SOFTPLUS),
  KIND (ACT_SOFTSIGN),
  KIND (ACT_ERF),
  KIND (ACT_TANH),
  KIND (ACT_EXP),
  KIND (ACT_LOG),
  KIND (ACT_SQRT),
  KIND (ACT_RECIPROCAL),
  KIND (ACT_ABS),
  KIND (ACT_NEG),
  KIND (ACT_SIGN),
  KIND (ACT_FLOOR),
  KIND (ACT_CEIL),
  KIND (ACT_ROUND),
  KIND (ACT_SIN),
  KIND (ACT_COS),
  KIND (ACT_TAN),
  KIND (ACT_ASIN),
  KIND (ACT_ACOS),
  KIND (ACT_ATAN),
  KIND (ACT_SINH),
  KIND (ACT_COSH),
  KIND (ACT_ASINH),
  KIND (ACT_ACOSH),
  KIND (ACT_ATANH),
};
/* Shifts have no device kernel. */
static const Kind binary_kinds[] = {
  KIND (BINARY_ADD),
  KIND (BINARY_SUB),
  KIND (BINARY_MUL),
  KIND (BINARY_DIV),
  KIND (BINARY_POW),
  KIND (BINARY_MIN),
  KIND (BINARY_MAX),
  KIND (BINARY_MOD),
  KIND (BINARY_FMOD),
  KIND (BINARY_PRELU),
  KIND (BINARY_AND),
  KIND (BINARY_OR),
  KIND (BINARY_XOR),
  KIND (BINARY_EQUAL),
  KIND (BINARY_GREATER),
  KIND (BINARY_GREATER_EQUAL),
  KIND (BINARY_LESS),
  KIND (BINARY_LESS_EQUAL),
};

/* "NAME = 3" or "#define NAME 3" for each name, and no other names with the prefix. */
static void
test_kinds (SegTap *tap, const char *source, const char *file, const char *pattern,
    const Kind *kinds, guint n)
{
  g_autofree char *path = g_build_filename (source, "shaders", "lib", file, NULL);
  g_autofree char *text = NULL;
  g_autoptr (GString) wrong = g_string_new (NULL);
  g_autoptr (GRegex) regex = g_regex_new (pattern, 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  guint n_found = 0;
  if (!g_file_get_contents (path, &text, NULL, NULL)) {
    seg_tap_result (tap, FALSE, file, "cannot be read");
    return;
  }
  for (g_regex_match (regex, text, 0, &match); g_match_info_matches (match);
       g_match_info_next (match, NULL)) {
    g_autofree char *name = g_match_info_fetch (match, 1);
    g_autofree char *number = g_match_info_fetch (match, 2);
    gboolean known = FALSE;
    for (guint i = 0; i < n; i++)
      known |= strcmp (kinds[i].name, name) == 0 && atoi (number) == kinds[i].number;
    if (!known)
      g_string_append_printf (wrong, "%s is not %s\n", name, number);
    n_found++;
  }
  if (n_found != n)
    g_string_append_printf (wrong, "%u names here, %u in C\n", n_found, n);
  seg_tap_result (tap, wrong->len == 0, file, wrong->str);
}

/* --- functions at their edges ---------------------------------------------------------------- */

typedef struct {
  SegAct act;
  double x, y;
} Point;

static const Point points[] = {
  { { SEG_ACT_NONE }, -3, -3 },
  { { SEG_ACT_RELU }, -3, 0 },
  { { SEG_ACT_RELU }, NAN, NAN },
  { { SEG_ACT_LEAKY_RELU, 0.5f }, -3, -1.5 },
  { { SEG_ACT_ELU, 2 }, -INFINITY, -2 },
  { { SEG_ACT_SELU, 2, 3 }, -INFINITY, -6 },
  { { SEG_ACT_SELU, 2, 3 }, 1, 3 },
  { { SEG_ACT_CELU, 2 }, -INFINITY, -2 },
  { { SEG_ACT_THRESHOLDED_RELU, 1 }, 1, 0 },
  { { SEG_ACT_CLIP, -1, 6 }, 7, 6 },
  { { SEG_ACT_CLIP, 6, -1 }, 3, -1 },
  { { SEG_ACT_CLIP, -1, 6 }, NAN, NAN },
  { { SEG_ACT_SIGMOID }, -1000, 0 },
  { { SEG_ACT_SIGMOID }, 1000, 1 },
  { { SEG_ACT_HARD_SIGMOID, 0.25f, 0.5f }, 1, 0.75 },
  { { SEG_ACT_SILU }, 1000, 1000 },
  { { SEG_ACT_HARD_SWISH }, 3, 3 },
  { { SEG_ACT_HARD_SWISH }, -3, 0 },
  { { SEG_ACT_MISH }, 1000, 1000 },
  { { SEG_ACT_MISH }, 0, 0 },
  { { SEG_ACT_GELU_ERF }, 40, 40 },
  { { SEG_ACT_GELU_ERF }, -40, 0 },
  { { SEG_ACT_GELU_TANH }, 40, 40 },
  { { SEG_ACT_SOFTPLUS }, 1000, 1000 },
  { { SEG_ACT_SOFTPLUS }, -1000, 0 },
  { { SEG_ACT_SOFTSIGN }, -1, -0.5 },
  { { SEG_ACT_SIGN }, -0.1, -1 },
  { { SEG_ACT_SIGN }, 0, 0 },
  { { SEG_ACT_ROUND }, 2.5, 2 },
  { { SEG_ACT_ROUND }, -3.5, -4 },
  { { SEG_ACT_LOG }, 0, -INFINITY },
  { { SEG_ACT_SQRT }, -1, NAN },
  { { SEG_ACT_RECIPROCAL }, -0.0, -INFINITY },
};

static gboolean
same (double a, double b)
{
  return (isnan (a) && isnan (b)) || a == b || fabs (a - b) < 1e-12;
}

static void
test_points (SegTap *tap)
{
  g_autoptr (GString) wrong = g_string_new (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (points); i++) {
    double y = seg_act_apply (points[i].act, points[i].x);
    if (!same (y, points[i].y))
      g_string_append_printf (wrong, "kind %d at %g: %g, not %g\n", points[i].act.kind,
          points[i].x, y, points[i].y);
  }
  seg_tap_result (tap, wrong->len == 0, "functions at their edges", wrong->str);
}

static void
test_epilogue (SegTap *tap)
{
  SegEpilogue none = { .residual = -1 };
  SegEpilogue all = { { SEG_ACT_RELU }, 2, { SEG_ACT_NEG } };
  gboolean ok = seg_epilogue_apply (&none, -3, 5) == -3
                && seg_epilogue_apply (&all, -3, 5) == -5
                && seg_epilogue_apply (&all, 3, 5) == -8;
  seg_tap_result (tap, ok, "act, residual, act2 in this order", NULL);
}

/* --- integers ---------------------------------------------------------------------------------- */

static void
test_integers (SegTap *tap)
{
  static const struct {
    SegBinaryKind kind;
    gint64 x, y;
    gboolean is_u64;
    gint64 result;
  } cases[] = {
    { SEG_BINARY_DIV, -7, 2, FALSE, -3 },
    { SEG_BINARY_DIV, 7, 0, FALSE, 0 },
    { SEG_BINARY_DIV, G_MININT64, -1, FALSE, G_MININT64 },
    { SEG_BINARY_DIV, -1, 2, TRUE, G_MAXINT64 },
    { SEG_BINARY_MOD, -7, 2, FALSE, 1 },
    { SEG_BINARY_FMOD, -7, 2, FALSE, -1 },
    { SEG_BINARY_MOD, 7, -2, FALSE, -1 },
    { SEG_BINARY_MOD, 7, 0, FALSE, 0 },
    { SEG_BINARY_MOD, G_MININT64, -1, FALSE, 0 },
    { SEG_BINARY_MOD, -1, 10, TRUE, 5 },
    { SEG_BINARY_POW, 3, 4, FALSE, 81 },
    { SEG_BINARY_POW, -1, -3, FALSE, -1 },
    { SEG_BINARY_POW, 2, -1, FALSE, 0 },
    { SEG_BINARY_MAX, -1, 5, FALSE, 5 },
    { SEG_BINARY_MAX, -1, 5, TRUE, -1 },
    { SEG_BINARY_LESS, -1, 5, TRUE, 0 },
    { SEG_BINARY_ADD, G_MAXINT64, 1, FALSE, G_MININT64 },
    { SEG_BINARY_SHIFT_LEFT, 1, 63, TRUE, G_MININT64 },
    { SEG_BINARY_SHIFT_RIGHT, -1, 64, TRUE, 0 },
  };
  g_autoptr (GString) wrong = g_string_new (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    gint64 r =
        seg_binary_apply_int (cases[i].kind, cases[i].x, cases[i].y, cases[i].is_u64);
    if (r != cases[i].result)
      g_string_append_printf (wrong, "case %u: %" G_GINT64_FORMAT "\n", i, r);
  }
  seg_tap_result (tap, wrong->len == 0, "integers at their edges", wrong->str);
}

int
main (int argc, char **argv)
{
  SegTap tap = { 0 };
  const char *source = argc > 1 ? argv[1] : ".";
  test_kinds (&tap, source, "act-kinds.glsl", "#define (ACT_\\w+) +(\\d+)", act_kinds,
      G_N_ELEMENTS (act_kinds));
  test_kinds (&tap, source, "binary-kinds.glsl", "(BINARY_\\w+) = (\\d+)", binary_kinds,
      G_N_ELEMENTS (binary_kinds));
  seg_tap_result (&tap, G_N_ELEMENTS (act_kinds) == SEG_ACT_COUNT,
      "the list above is complete", NULL);
  test_points (&tap);
  test_epilogue (&tap);
  test_integers (&tap);
  return seg_tap_finish (&tap);
}
