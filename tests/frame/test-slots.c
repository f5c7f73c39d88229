/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames in flight: what each slot of a pipe gives is what a pipe of one slot gives, and a thread may
 * redraw while another infers. */
#include "color-net.h"
#include "difference.h"

#include "frame/net.h"
#include "frame/pipe.h"
#include "vk/common.h"

#include <string.h>

#define WIDTH   161
#define HEIGHT  90
#define N_SLOTS 3
#define GREEN_INFO                                                                       \
  "[vkseg]\ndecoder=softmax\nmean=0\nstd=255\nforeground=green\n"                        \
  "labels=background,red,green,blue\n"

static const double red[3] = { 1, 0, 0 }, green[3] = { 0, 1, 0 };
static char *dir;

static SegNet *
open_net (ColorNetKind kind, const char *info)
{
  GError *error = NULL;
  g_autofree char *path = color_net_write (dir, "net", kind, info);
  SegNetOptions options = { .model = path, .device = g_getenv ("VKSEG_DEVICE") };
  SegNet *net = seg_net_new (&options, &error);
  g_assert_no_error (error);
  return net;
}

static SegPipe *
open_pipe (SegNet *net, SegPipeConfig config, guint n_slots)
{
  GError *error = NULL;
  config.format = SEG_FORMAT_NV12;
  config.color = seg_color_bt709;
  config.width = WIDTH;
  config.height = HEIGHT;
  config.result_format = SEG_FORMAT_RGBA;
  config.n_slots = n_slots;
  SegPipe *pipe = seg_pipe_new (net->vk, net->session, net->info, &config, &error);
  g_assert_no_error (error);
  return pipe;
}

/* Red, then green from this column on. */
static void
paint (SegPipe *pipe, guint slot, guint border)
{
  guint8 *data;
  const SegFrame *frame = seg_pipe_slot_input (pipe, slot, &data);
  color_net_paint (frame, data, 0, border, red);
  color_net_paint (frame, data, border, WIDTH, green);
}

static void
submit (SegPipe *pipe, guint slot, SegPipeWork work)
{
  GError *error = NULL;
  gboolean ok = seg_pipe_slot_submit (pipe, slot, work, &error);
  g_assert_no_error (error);
  g_assert_true (ok);
}

static void
wait (SegPipe *pipe, guint slot)
{
  GError *error = NULL;
  gboolean ok = seg_pipe_slot_wait (pipe, slot, &error);
  g_assert_no_error (error);
  g_assert_true (ok);
}

static void
check_pixels (const SegFrame *frame, const guint8 *data, const guint8 *wanted)
{
  g_autofree char *differ = frame_difference (frame, data, wanted);
  if (differ != NULL)
    g_error ("%s", differ);
}

static void
check_instances (const SegInstances *got, const SegInstances *wanted)
{
  g_assert_cmpuint (got->n, ==, wanted->n);
  for (guint i = 0; i < got->n; i++) {
    const SegInstance *a = &got->items[i], *b = &wanted->items[i];
    g_assert_cmpuint (a->class_id, ==, b->class_id);
    g_assert_cmpfloat (a->score, ==, b->score);
    g_assert_cmpfloat (a->x, ==, b->x);
    g_assert_cmpfloat (a->width, ==, b->width);
  }
}

static void
check_same (SegPipe *pipe, guint slot, SegPipe *one, SegOutputKind output)
{
  const guint8 *data, *wanted;
  seg_pipe_select (pipe, slot);
  const SegInstances *instances = seg_pipe_instances (pipe);
  if (instances != NULL)
    check_instances (instances, seg_pipe_instances (one));
  const SegFrame *frame = seg_pipe_result (pipe, &data);
  seg_pipe_result (one, &wanted);
  if (instances == NULL || output != SEG_OUTPUT_META) /* which has no pixels then */
    check_pixels (frame, data, wanted);
  g_assert_cmpmem (seg_pipe_areas (pipe), 256 * sizeof (guint32), seg_pipe_areas (one),
      256 * sizeof (guint32));
}

static void
compare (SegNet *net, SegPipeConfig config, guint n_parts)
{
  static const guint borders[2 * N_SLOTS] = { 20, 90, 140, 0, WIDTH, 60 };
  GError *error = NULL;
  SegPipe *many = open_pipe (net, config, N_SLOTS), *one = open_pipe (net, config, 1);
  if (n_parts > 0)
    g_assert_true (seg_pipe_take_turns (many, n_parts, &error));
  g_assert_no_error (error);
  for (guint first = 0; first < G_N_ELEMENTS (borders); first += N_SLOTS) {
    for (guint i = 0; i < N_SLOTS; i++) {
      paint (many, i, borders[first + i]);
      submit (many, i, SEG_PIPE_INFER);
      if (seg_pipe_is_hosted (many))
        wait (many, i);
    }
    for (guint i = 0; i < N_SLOTS; i++) {
      if (!seg_pipe_is_hosted (many))
        wait (many, i);
      paint (one, 0, borders[first + i]);
      submit (one, 0, SEG_PIPE_INFER);
      wait (one, 0);
      check_same (many, i, one, config.output);
    }
  }
  seg_pipe_free (&many);
  seg_pipe_free (&one);
}

static void
test_each_its_own (void)
{
  static const struct {
    ColorNetKind kind;
    const char *info;
  } nets[] = { { COLOR_NET_PLAIN, COLOR_NET_INFO }, { COLOR_NET_HOSTED, COLOR_NET_INFO },
    { COLOR_NET_YOLO, COLOR_NET_YOLO_INFO } };
  for (guint k = 0; k < G_N_ELEMENTS (nets); k++) {
    SegNet *net = open_net (nets[k].kind, nets[k].info);
    for (SegOutputKind output = 0; output <= SEG_OUTPUT_BACKGROUND; output++)
      for (guint i = 0; i < 4; i++) {
        SegPipeConfig config = {
          .output = output, .separate_memory = i & 1, .blur_sigma = 6.0
        };
        g_test_message ("network %u, output %u, %s memory, %s", k, output,
            i & 1 ? "separate" : "shared", i & 2 ? "in turns" : "at once");
        compare (net, config, i & 2 ? 2 : 0);
      }
    seg_net_free (&net);
  }
}

/* Mattes that are made anew for each frame that is shown. */
static void
test_guided (void)
{
  SegNet *net = open_net (COLOR_NET_PLAIN, GREEN_INFO);
  for (SegOutputKind output = 0; output <= SEG_OUTPUT_BACKGROUND; output++)
    for (guint i = 0; i < 4; i++) {
      SegPipeConfig config = {
        .output = output, .separate_memory = i & 1, .blur_sigma = 6.0, .guided = TRUE
      };
      compare (net, config, i & 2 ? 2 : 0);
    }
  seg_net_free (&net);
}

static void
test_tiles (void)
{
  SegNet *net = open_net (COLOR_NET_PLAIN, COLOR_NET_INFO);
  for (guint i = 0; i < 4; i++) {
    SegPipeConfig config = {
      .output = SEG_OUTPUT_OVERLAY, .separate_memory = i & 1, .tile = TRUE
    };
    compare (net, config, i & 2 ? 1 : 0);
  }
  seg_net_free (&net);
}

/* Does not end before it is told. */
typedef struct {
  SegPipe *pipe;
  gint stop; /* atomic, as is: */
  gint n;    /* frames inferred */
} Worker;

static gpointer
infer_on (gpointer data)
{
  Worker *w = data;
  for (gint n = 0; !g_atomic_int_get (&w->stop); g_atomic_int_set (&w->n, ++n)) {
    guint slot = 1 + (guint) n % 2;
    paint (w->pipe, slot, n % 2 ? 0 : WIDTH);
    submit (w->pipe, slot, SEG_PIPE_INFER_ONLY);
    wait (w->pipe, slot);
  }
  return NULL;
}

/* All red or all green, never in between. */
static void
redraw_meanwhile (const char *info, gboolean guided, guint8 if_red, guint8 if_green)
{
  GError *error = NULL;
  SegNet *net = open_net (COLOR_NET_PLAIN, info);
  SegPipeConfig config = { .output = SEG_OUTPUT_LABELS, .guided = guided };
  SegPipe *pipe = open_pipe (net, config, N_SLOTS);
  Worker worker = { pipe, 0, 0 };
  guint seen[3] = { 0 };
  g_assert_true (seg_pipe_take_turns (pipe, 4, &error));
  g_assert_no_error (error);
  paint (pipe, 0, 0);
  submit (pipe, 0, SEG_PIPE_INFER);
  wait (pipe, 0);
  GThread *thread = g_thread_new ("infer", infer_on, &worker);
  for (guint i = 0; i < 200 || g_atomic_int_get (&worker.n) < 2; i++) {
    const guint8 *data;
    submit (pipe, 0, SEG_PIPE_REDRAW);
    wait (pipe, 0);
    const SegFrame *map = seg_pipe_result (pipe, &data);
    data += map->offset[0];
    g_assert_true (data[0] == if_red || data[0] == if_green);
    seen[data[0]]++;
    for (guint y = 0; y < HEIGHT; y++)
      for (guint x = 0; x < WIDTH; x++)
        g_assert_cmpuint (data[y * map->stride[0] + x], ==, data[0]);
  }
  g_atomic_int_set (&worker.stop, 1);
  g_thread_join (thread);
  g_test_message (
      "%d inferred, %u red, %u green", worker.n, seen[if_red], seen[if_green]);
  seg_pipe_free (&pipe);
  seg_net_free (&net);
}

static void
test_redraw_meanwhile (void)
{
  redraw_meanwhile (COLOR_NET_INFO, FALSE, 1, 2);
  redraw_meanwhile (GREEN_INFO, TRUE, 0, 1);
}

/* One pixel of the matte, after a frame that is nearly the same. With `forget` that is of before a flush, and
 * whatever comes of it comes after that: as of a first frame. */
static guint8
matte_after (SegNet *net, gboolean first, gboolean forget)
{
  static const double near[3] = { 0.2, 1, 0.2 };
  SegPipeConfig config = { .output = SEG_OUTPUT_MATTE, .smoothing = 0.8 };
  SegPipe *pipe = open_pipe (net, config, N_SLOTS);
  const guint8 *data;
  guint8 *upload;
  if (!first) {
    paint (pipe, 1, 0);
    submit (pipe, 1, SEG_PIPE_INFER);
  }
  if (forget)
    seg_pipe_forget (pipe);
  if (!first)
    wait (pipe, 1);
  const SegFrame *frame = seg_pipe_slot_input (pipe, 2, &upload);
  color_net_paint (frame, upload, 0, WIDTH, near);
  submit (pipe, 2, forget ? SEG_PIPE_REDRAW : SEG_PIPE_INFER);
  wait (pipe, 2);
  seg_pipe_select (pipe, 2);
  const SegFrame *matte = seg_pipe_result (pipe, &data);
  guint8 value = data[matte->offset[0]];
  seg_pipe_free (&pipe);
  return value;
}

static void
test_forgotten (void)
{
  static const ColorNetKind kinds[] = { COLOR_NET_PLAIN, COLOR_NET_HOSTED };
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    SegNet *net = open_net (kinds[i], GREEN_INFO);
    guint8 first = matte_after (net, TRUE, FALSE);
    g_assert_cmpuint (matte_after (net, FALSE, FALSE), !=, first);
    g_assert_cmpuint (matte_after (net, FALSE, TRUE), ==, first);
    seg_net_free (&net);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_autoptr (SegVk) vk = test_device (NULL);
  dir = g_dir_make_tmp ("vkseg-test-XXXXXX", NULL);
  if (vk != NULL) {
    g_test_add_func ("/slots/each-its-own", test_each_its_own);
    g_test_add_func ("/slots/guided", test_guided);
    g_test_add_func ("/slots/tiles", test_tiles);
    g_test_add_func ("/slots/forgotten", test_forgotten);
    g_test_add_func ("/slots/redraw-meanwhile", test_redraw_meanwhile);
  }
  int status = g_test_run ();
  color_net_remove (dir);
  g_free (dir);
  return status;
}
