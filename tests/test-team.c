/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A team gives each member what its session gives alone, whoever is there; and refuses networks that
 * mix the inputs of a batch. A folder as the argument: trained networks there too. */
#include "engine/team.h"
#include "lib/device.h"
#include "lib/net.h"
#include "lib/onnx-graph.h"
#include "ops/program.h"

#include <math.h>
#include <string.h>

#define N_MEMBERS 3
#define N_ROUNDS  5
#define FOREVER   60 /* s */

static SegVk *vk;
static const char *folder;

/* --- networks -------------------------------------------------------------------------------------------- */

static GBytes *
convolutions (void)
{
  Net *net = net_new (1, 3, 17, 21);
  const char *x =
      net_op (net, "Relu", net_conv (net, "picture", (NetConv){ 3, 13, 3, 1, 1 }));
  x = net_resize (net, net_pool (net, "MaxPool", x, 2, 2, 0), "linear", 2);
  return net_finish (net, net_conv (net, x, (NetConv){ 13, 5, 1 }));
}

static GBytes *
of_any_batch (void)
{
  Net *net = net_new (0, 8, 16, 16);
  const char *x = net_conv (net, "picture", (NetConv){ 8, 8, 3, 2, 1 });
  return net_finish (net, net_op (net, "GlobalAveragePool", net_op (net, "Relu", x)));
}

/* Long enough for several parts. */
static GBytes *
deep (void)
{
  Net *net = net_new (1, 3, 96, 96);
  return net_finish (net, net_unet (net, "picture", 3, 3, 24, 4, TRUE));
}

static void
add_shape (GByteArray *graph, const char *name, guint n, const gint64 *shape)
{
  const gint64 dims[1] = { n };
  seg_pb_add_constant (graph, name, SEG_DTYPE_I64, 1, dims, shape);
}

static GBytes *
finish_as (GByteArray *graph, guint rank, const gint64 *out, gint64 opset)
{
  const gint64 in[4] = { 1, 4, 6, 8 };
  seg_pb_string (graph, GRAPH_NAME, "net");
  seg_pb_message (
      graph, GRAPH_INPUT, seg_pb_free_value_info ("picture", SEG_DTYPE_F32, 4, in));
  seg_pb_message (
      graph, GRAPH_OUTPUT, seg_pb_free_value_info ("out", SEG_DTYPE_F32, rank, out));
  return seg_pb_model (graph, opset, NULL);
}

static GBytes *
finish (GByteArray *graph, guint rank, const gint64 *out)
{
  return finish_as (graph, rank, out, 13);
}

static const gint64 as_picture[4] = { 1, 4, 6, 8 };

/* One operator with an attribute that says along which axis. */
static GBytes *
along (const char *op, gint64 axis, gint64 opset)
{
  GByteArray *graph = g_byte_array_new (),
             *node = seg_pb_node (op, "out", "picture", NULL);
  seg_pb_attr_int (node, "axis", axis);
  seg_pb_add_node (graph, node);
  return finish_as (graph, 4, as_picture, opset);
}

static GBytes *
summed (gint64 axis)
{
  GByteArray *graph = g_byte_array_new ();
  seg_pb_add_constant (graph, "axis", SEG_DTYPE_I64, 0, NULL, &axis);
  seg_pb_add_node (graph, seg_pb_node ("CumSum", "out", "picture", "axis", NULL));
  return finish (graph, 4, as_picture);
}

static GBytes *
normalised (const gint64 *axes, guint n)
{
  GByteArray *graph = g_byte_array_new ();
  GByteArray *node = seg_pb_node ("MeanVarianceNormalization", "out", "picture", NULL);
  if (axes != NULL)
    seg_pb_attr_ints (node, "axes", axes, n);
  seg_pb_add_node (graph, node);
  return finish (graph, 4, as_picture);
}

/* Less the mean along an axis that is gone then: with as many inputs as channels it fits those. */
static GBytes *
less_mean (gint64 axis)
{
  GByteArray *graph = g_byte_array_new ();
  GByteArray *mean = seg_pb_node ("ReduceMean", "mean", "picture", NULL);
  seg_pb_attr_ints (mean, "axes", &axis, 1);
  seg_pb_attr_int (mean, "keepdims", 0);
  seg_pb_add_node (graph, mean);
  seg_pb_add_node (graph, seg_pb_node ("Sub", "out", "picture", "mean", NULL));
  return finish (graph, 4, as_picture);
}

static GBytes *
less_first (void)
{
  const gint64 index = 0;
  GByteArray *graph = g_byte_array_new ();
  seg_pb_add_constant (graph, "index", SEG_DTYPE_I64, 0, NULL, &index);
  seg_pb_add_node (graph, seg_pb_node ("Gather", "first", "picture", "index", NULL));
  seg_pb_add_node (graph, seg_pb_node ("Sub", "out", "picture", "first", NULL));
  return finish (graph, 4, as_picture);
}

static void
add_filled (GByteArray *graph, const char *name, SegDType dtype, const gint64 dims[4])
{
  static const guint64 zeros[4 * 6 * 8];
  seg_pb_add_constant (graph, name, dtype, 4, dims, zeros);
}

/* Zeros where indices of the file say: those of one picture. */
static GBytes *
cleared (const char *op, gint64 axis)
{
  const gint64 row[4] = { 1, 4, 1, 8 }, *dims = axis == 0 ? as_picture : row,
               place[2] = { 1, 1 }, first = 0;
  gboolean tuples = strcmp (op, "ScatterND") == 0;
  GByteArray *graph = g_byte_array_new (),
             *node = seg_pb_node (op, "out", "picture", "indices", "zeros", NULL);
  if (tuples)
    seg_pb_add_constant (graph, "indices", SEG_DTYPE_I64, 2, place, &first);
  else
    add_filled (graph, "indices", SEG_DTYPE_I64, dims);
  add_filled (graph, "zeros", SEG_DTYPE_F32, tuples ? as_picture : dims);
  if (!tuples)
    seg_pb_attr_int (node, "axis", axis);
  seg_pb_add_node (graph, node);
  return finish_as (graph, 4, as_picture, 16);
}

/* The least of each column in the place of its largest: indices and updates are the picture's own. */
static GBytes *
levelled (void)
{
  const gint64 axis = 2;
  GByteArray *graph = g_byte_array_new ();
  GByteArray *where = seg_pb_node ("ArgMax", "where", "picture", NULL);
  seg_pb_attr_int (where, "axis", axis);
  seg_pb_add_node (graph, where);
  GByteArray *least = seg_pb_node ("ReduceMin", "least", "picture", NULL);
  seg_pb_attr_ints (least, "axes", &axis, 1);
  seg_pb_add_node (graph, least);
  GByteArray *node =
      seg_pb_node ("ScatterElements", "out", "picture", "where", "least", NULL);
  seg_pb_attr_int (node, "axis", axis);
  seg_pb_add_node (graph, node);
  return finish_as (graph, 4, as_picture, 16);
}

/* As exporters leave them: a batch of one in each shape. */
static GBytes *
baked (void)
{
  const gint64 larger[4] = { 1, 4, 12, 16 }, flat[3] = { 1, -1, 4 },
               out[3] = { 1, 192, 4 };
  GByteArray *graph = g_byte_array_new ();
  add_shape (graph, "larger", 4, larger);
  add_shape (graph, "flat", 3, flat);
  seg_pb_add_node (graph, seg_pb_node ("Resize", "x", "picture", "", "", "larger", NULL));
  seg_pb_add_node (graph, seg_pb_node ("Sigmoid", "y", "x", NULL));
  seg_pb_add_node (graph, seg_pb_node ("Reshape", "out", "y", "flat", NULL));
  return finish (graph, 3, out);
}

/* Each less the mean of all. */
static GBytes *
mixed (void)
{
  const gint64 axis[1] = { 0 }, out[4] = { 1, 4, 6, 8 };
  GByteArray *graph = g_byte_array_new ();
  GByteArray *mean = seg_pb_node ("ReduceMean", "mean", "picture", NULL);
  seg_pb_attr_ints (mean, "axes", axis, 1);
  seg_pb_add_node (graph, mean);
  seg_pb_add_node (graph, seg_pb_node ("Sub", "out", "picture", "mean", NULL));
  return finish (graph, 4, out);
}

/* The first dimension becomes another. */
static GBytes *
turned (void)
{
  static const gint64 perm[4] = { 1, 0, 2, 3 };
  Net *net = net_new (1, 4, 6, 8);
  return net_finish (net, net_transpose (net, net_op (net, "Relu", "picture"), perm));
}

/* --- members --------------------------------------------------------------------------------------------- */

typedef struct {
  SegModel *model;
  SegSession *session;
  SegMember *member;
  SegBound in, out[4];
  guint n_outputs;
  SegBuffer *upload, *readback;
  gsize offsets[4];
  SegCmd *before, *alone, *after;
  SegBatch *batch;
  GRand *rand;
  GByteArray *expected[N_ROUNDS];
  guint number; /* of its random inputs */
} Side;

static const guint outputs[] = { 0, 1, 2, 3 };

static gsize
element_at (const SegBound *b, gsize i)
{
  gsize at = b->view.offset;
  for (guint axis = b->desc.rank; axis-- > 0; i /= (gsize) b->desc.dims[axis])
    at += i % (gsize) b->desc.dims[axis] * b->view.strides[axis];
  return at;
}

/* Random numbers in 0..1 where the input is; the rest stays 0. */
static void
fill (Side *s)
{
  guint8 *data = seg_buffer_map (s->upload);
  gsize n = (gsize) seg_desc_n_elems (&s->in.desc);
  for (gsize i = 0; i < n; i++) {
    float f = (float) g_rand_double (s->rand);
    if (s->in.storage == SEG_STORAGE_F16)
      ((guint16 *) data)[element_at (&s->in, i)] = seg_half_from_float (f);
    else
      ((float *) data)[element_at (&s->in, i)] = f;
  }
}

static GByteArray *
take (const Side *s)
{
  GByteArray *all = g_byte_array_new ();
  for (guint k = 0; k < s->n_outputs; k++) {
    const SegBound *b = &s->out[k];
    const guint8 *data = (guint8 *) seg_buffer_map (s->readback) + s->offsets[k];
    gsize n = (gsize) seg_desc_n_elems (&b->desc);
    for (gsize i = 0; i < n; i++) {
      gsize at = element_at (b, i);
      float f = b->storage == SEG_STORAGE_F16
                    ? seg_half_to_float (((const guint16 *) data)[at])
                    : ((const float *) data)[at];
      g_byte_array_append (all, (const guint8 *) &f, sizeof f);
    }
  }
  return all;
}

static SegBuffer *
new_buffer (gsize n_bytes, SegBufferUse use)
{
  g_autoptr (GError) error = NULL;
  SegBuffer *buffer = seg_buffer_new (vk, n_bytes, use, &error);
  g_assert_no_error (error);
  return buffer;
}

static SegCmd *
begin (void)
{
  g_autoptr (GError) error = NULL;
  SegCmd *cmd = seg_cmd_new (vk, FALSE, &error);
  g_assert_no_error (error);
  g_assert_true (seg_cmd_begin (cmd, NULL));
  return cmd;
}

static void
record (Side *s)
{
  GError *error = NULL;
  gsize used = 0;
  for (guint k = 0; k < s->n_outputs; k++) {
    s->offsets[k] = used;
    used += (s->out[k].n_bytes + 15) & ~(gsize) 15;
  }
  s->upload = new_buffer (s->in.n_bytes, SEG_BUFFER_UPLOAD);
  s->readback = new_buffer (used, SEG_BUFFER_READBACK);
  memset (seg_buffer_map (s->upload), 0, s->in.n_bytes);
  s->before = begin ();
  s->alone = begin ();
  s->after = begin ();
  gboolean ok =
      seg_cmd_copy (s->before, s->upload, 0, s->in.buffer, s->in.offset,
          s->in.n_bytes & ~(gsize) 3, &error)
      && seg_session_record (s->session, s->alone, outputs, s->n_outputs, &error);
  for (guint k = 0; ok && k < s->n_outputs; k++)
    ok = seg_cmd_copy (s->after, s->out[k].buffer, s->out[k].offset, s->readback,
        s->offsets[k], s->out[k].n_bytes & ~(gsize) 3, &error);
  ok = ok && seg_cmd_end (s->before, &error) && seg_cmd_end (s->alone, &error)
       && seg_cmd_end (s->after, &error);
  g_assert_no_error (error);
  s->batch = seg_batch_new (vk, &error);
  g_assert_no_error (error);
}

static void
open_side (Side *s, SegModel *model, SegPrecision precision, guint number)
{
  GError *error = NULL;
  const SegSessionOptions options = { .precision = precision, .shared = TRUE };
  *s = (Side){ .model = model, .rand = g_rand_new_with_seed (number) };
  s->session = seg_session_new (model, vk, &options, &error);
  g_assert_no_error (error);
  s->n_outputs = seg_session_graph (s->session)->outputs->len;
  g_assert_true (seg_session_input (s->session, 0, &s->in, NULL));
  for (guint k = 0; k < s->n_outputs; k++)
    g_assert_true (seg_session_output (s->session, k, &s->out[k], NULL));
  record (s);
}

static SegMember *
join (Side *s, guint batch, GError **error)
{
  const SegTeamOptions options = { batch, NULL, outputs, s->n_outputs, TRUE };
  return seg_team_join (s->session, &options, error);
}

static void
close_side (Side *s)
{
  seg_batch_free (&s->batch);
  seg_member_leave (&s->member);
  seg_cmd_free (&s->before);
  seg_cmd_free (&s->alone);
  seg_cmd_free (&s->after);
  seg_buffer_free (&s->upload);
  seg_buffer_free (&s->readback);
  seg_session_free (&s->session);
  for (guint i = 0; i < N_ROUNDS; i++)
    g_clear_pointer (&s->expected[i], g_byte_array_unref);
  g_rand_free (s->rand);
}

static void
run_alone (Side *s)
{
  g_autoptr (GError) error = NULL;
  SegCmd *const cmds[3] = { s->before, s->alone, s->after };
  seg_batch_submit (s->batch, cmds, 3, TRUE, &error);
  g_assert_no_error (error);
}

/* What each round is to give. */
static void
expect (Side *s, guint number)
{
  s->number = number;
  g_rand_set_seed (s->rand, number);
  for (guint i = 0; i < N_ROUNDS; i++) {
    fill (s);
    run_alone (s);
    g_assert_true (seg_batch_wait (s->batch, NULL));
    s->expected[i] = take (s);
  }
  g_rand_set_seed (s->rand, number);
}

static void
compare (const GByteArray *got, const GByteArray *expected, SegPrecision precision)
{
  const float *a = (const float *) got->data, *b = (const float *) expected->data;
  double most = precision == SEG_PRECISION_FP16 ? 2e-2 : 1e-5, scale = 0.0;
  g_assert_cmpuint (got->len, ==, expected->len);
  for (guint i = 0; i < got->len / sizeof *a; i++)
    scale = MAX (scale, fabs (b[i]));
  for (guint i = 0; i < got->len / sizeof *a; i++)
    if (!(fabs (a[i] - b[i]) <= most * scale))
      g_error ("number %u is %g, alone %g, of %g", i, a[i], b[i], scale);
}

static gint in_turns, together; /* atomic; frames that went with others */

static gpointer
run_rounds (gpointer data)
{
  Side *s = data;
  GError *error = NULL;
  SegCmd *const before[1] = { s->before }, *const after[1] = { s->after };
  const SegMemberFrame frame = { before, after, 1, 1, g_atomic_int_get (&in_turns) != 0,
    s->batch };
  /* Until they meet: on a busy machine one thread may have done its rounds before another starts. */
  for (guint i = 0; i < N_ROUNDS || g_atomic_int_get (&together) == 0; i++) {
    gboolean alone = FALSE;
    if (i % N_ROUNDS == 0)
      g_rand_set_seed (s->rand, s->number);
    fill (s);
    seg_member_run (s->member, &frame, FOREVER * G_USEC_PER_SEC, &alone, &error);
    g_assert_no_error (error);
    g_atomic_int_add (&together, !alone);
    if (alone)
      run_alone (s);
    g_assert_true (seg_batch_wait (s->batch, &error));
    g_autoptr (GByteArray) got = take (s);
    SegPrecision precision =
        s->in.storage == SEG_STORAGE_F16 ? SEG_PRECISION_FP16 : SEG_PRECISION_FP32;
    compare (got, s->expected[i % N_ROUNDS], precision);
  }
  seg_member_leave (&s->member); /* so that nobody waits for it */
  return NULL;
}

/* All together, each with other inputs. */
static void
check_team (SegModel *model, SegPrecision precision, guint batch)
{
  Side sides[N_MEMBERS];
  GThread *threads[N_MEMBERS];
  g_autoptr (GError) error = NULL;
  g_atomic_int_set (&together, 0);
  for (guint i = 0; i < N_MEMBERS; i++) {
    open_side (&sides[i], model, precision, i);
    expect (&sides[i], i);
    sides[i].member = join (&sides[i], batch, &error);
    g_assert_no_error (error);
  }
  for (guint i = 0; i < N_MEMBERS; i++)
    threads[i] = g_thread_new (NULL, run_rounds, &sides[i]);
  for (guint i = 0; i < N_MEMBERS; i++)
    g_thread_join (threads[i]);
  g_test_message ("batch %u: %d of %u together", batch, g_atomic_int_get (&together),
      N_MEMBERS * N_ROUNDS);
  for (guint i = 0; i < N_MEMBERS; i++)
    close_side (&sides[i]);
}

static SegModel *
parse (GBytes *bytes)
{
  g_autoptr (GError) error = NULL;
  SegModel *model = seg_model_parse (bytes, NULL, &error);
  g_assert_no_error (error);
  return model;
}

/* Takes the file, as does refuse. */
static void
check_network (GBytes *file)
{
  g_autoptr (GBytes) bytes = file;
  for (SegPrecision p = SEG_PRECISION_FP32; p <= SEG_PRECISION_FP16; p++)
    for (guint batch = 2; batch <= N_MEMBERS + 1; batch++) {
      g_autoptr (SegModel) model = parse (bytes);
      check_team (model, p, batch);
    }
}

static void
test_convolutions (void)
{
  check_network (convolutions ());
  check_network (of_any_batch ());
}

static void
test_baked (void)
{
  check_network (baked ());
}

/* The network in parts, for others' sake. */
static void
test_turns (void)
{
  g_atomic_int_set (&in_turns, 1);
  check_network (deep ());
  g_atomic_int_set (&in_turns, 0);
}

static void
refuse (GBytes *file, guint batch, const char *words)
{
  g_autoptr (GBytes) bytes = file;
  g_autoptr (SegModel) model = parse (bytes);
  g_autoptr (GError) error = NULL;
  Side side;
  open_side (&side, model, SEG_PRECISION_FP32, 0);
  side.member = join (&side, batch, &error);
  g_assert_null (side.member);
  g_assert_nonnull (error);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, words));
  close_side (&side);
}

static void
test_refused (void)
{
  refuse (mixed (), 3, "mixes the inputs");
  refuse (turned (), 3, "does not follow the input's");
  refuse (normalised (NULL, 0), 3, "mixes the inputs");
  refuse (along ("LpNormalization", 0, 13), 3, "mixes the inputs");
  refuse (along ("Softmax", 0, 13), 3, "mixes the inputs");
  refuse (along ("LogSoftmax", 0, 11), 3, "mixes the inputs"); /* a row of everything */
  refuse (summed (0), 3, "mixes the inputs");
  refuse (less_mean (0), 4, "mixes the inputs");
  refuse (less_mean (1), 4, "mixes the inputs");
  refuse (less_first (), 4, "mixes the inputs");
  refuse (cleared ("ScatterND", 0), 3, "mixes the inputs");
  refuse (cleared ("ScatterElements", 0), 3, "mixes the inputs");
  refuse (cleared ("ScatterElements", 2), 3, "mixes the inputs");
}

/* Neighbours of those: along other axes. */
static void
test_each_alone (void)
{
  static const gint64 axes[2] = { 1, 3 };
  check_network (normalised (axes, 2));
  check_network (along ("Softmax", 1, 13));
  check_network (along ("LogSoftmax", 1, 11));
  check_network (summed (2));
  check_network (levelled ());
}

/* What one has handed over without a fence is waited for with another's. */
static void
test_closed (void)
{
  g_autoptr (GBytes) bytes = deep ();
  g_autoptr (SegModel) model = parse (bytes);
  Side sides[2];
  for (guint i = 0; i < 2; i++)
    open_side (&sides[i], model, SEG_PRECISION_FP32, i);
  expect (&sides[0], 0);
  fill (&sides[0]);
  SegCmd *const cmds[3] = { sides[0].before, sides[0].alone, sides[0].after };
  memset (seg_buffer_map (sides[0].readback), 0, sides[0].out[0].n_bytes);
  g_assert_true (seg_batch_submit (sides[0].batch, cmds, 3, FALSE, NULL));
  seg_batch_close (sides[1].batch, 3);
  g_assert_true (seg_batch_wait (sides[1].batch, NULL));
  g_autoptr (GByteArray) got = take (&sides[0]);
  compare (got, sides[0].expected[0], SEG_PRECISION_FP32);
  for (guint i = 0; i < 2; i++)
    close_side (&sides[i]);
}

/* Gives whether it has been left alone. */
static gpointer
run_one (gpointer data)
{
  Side *s = data;
  g_autoptr (GError) error = NULL;
  SegCmd *const before[1] = { s->before }, *const after[1] = { s->after };
  const SegMemberFrame frame = { before, after, 1, 1, FALSE, s->batch };
  gboolean alone = FALSE;
  seg_member_run (s->member, &frame, FOREVER * G_USEC_PER_SEC, &alone, &error);
  g_assert_no_error (error);
  g_assert_true (seg_batch_wait (s->batch, NULL));
  return GINT_TO_POINTER ((gint) alone);
}

/* One who is expected and does not come is not waited for in a hurry. */
static void
test_hurry (void)
{
  g_autoptr (GBytes) bytes = convolutions ();
  g_autoptr (SegModel) model = parse (bytes);
  Side sides[2];
  for (guint i = 0; i < 2; i++) {
    open_side (&sides[i], model, SEG_PRECISION_FP32, i);
    sides[i].member = join (&sides[i], 2, NULL);
    g_assert_nonnull (sides[i].member);
  }
  g_assert_nonnull (run_one (&sides[0])); /* nobody is expected yet; it is from now on */
  gint64 start = g_get_monotonic_time ();
  GThread *thread = g_thread_new (NULL, run_one, &sides[1]);
  g_usleep (G_USEC_PER_SEC / 10);
  seg_member_hurry (sides[1].member, TRUE);
  g_assert_nonnull (g_thread_join (thread));
  g_assert_cmpint (g_get_monotonic_time () - start, <, FOREVER * G_USEC_PER_SEC / 2);
  for (guint i = 0; i < 2; i++)
    close_side (&sides[i]);
}

/* A detector whose shapes are baked, and one with a class a pixel. */
static void
test_trained (void)
{
  static const char *const names[] = { "yolov8n_seg_320", "deeplabv3_voc_257" };
  guint n = 0;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *path = g_build_filename (folder, names[i], "model.onnx", NULL);
    if (!g_file_test (path, G_FILE_TEST_EXISTS))
      continue;
    g_autoptr (SegModel) model = seg_model_load (path, &error);
    g_assert_no_error (error);
    check_team (model, SEG_PRECISION_FP32, 2);
    n++;
  }
  if (n == 0)
    g_test_skip ("no trained networks");
}

int
main (int argc, char **argv)
{
  int status = 0;
  g_test_init (&argc, &argv, NULL);
  folder = argc > 1 ? argv[1] : ".";
  vk = seg_test_device (&status);
  if (vk == NULL)
    return status;
  g_test_add_func ("/team/convolutions", test_convolutions);
  g_test_add_func ("/team/baked", test_baked);
  g_test_add_func ("/team/turns", test_turns);
  g_test_add_func ("/team/refused", test_refused);
  g_test_add_func ("/team/each-alone", test_each_alone);
  g_test_add_func ("/team/closed", test_closed);
  g_test_add_func ("/team/hurry", test_hurry);
  g_test_add_func ("/team/trained", test_trained);
  status = g_test_run ();
  g_assert_cmpuint (seg_vk_validation_messages (), ==, 0);
  seg_vk_unref (vk);
  return status;
}
