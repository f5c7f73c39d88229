/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/net.h"
#include "frame/pipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What a frame costs besides the network: the least time of each step. Not a test.
 *   bench-frame MODEL FORMAT WIDTHxHEIGHT overlay|labels|matte|cutout|background[+guided] [RUNS [PICTURE]]
 * PICTURE: a raw frame as GStreamer lays it out; without one the frame is black. */

static void
print_step (const char *name, guint64 ns)
{
  printf ("%-12s %8.3f ms\n", name, (double) ns / 1e6);
}

/* Copies that discrete devices need come first and last and count as part of the network here. */
static void
print_times (const guint64 *ns, guint n, guint n_before, guint n_after)
{
  guint64 network = 0;
  for (guint i = n_before; i + n_after < n; i++)
    network += ns[i];
  print_step ("preprocess", ns[n_before - 1]);
  print_step ("network", network);
  for (guint i = n - n_after; i < n; i++) {
    char name[24];
    snprintf (name, sizeof name, "after %u", i + n_after - n);
    print_step (name, ns[i]);
  }
}

/* Candidates (3), suppression (2), masks; four fills, style, tiles, map, ink; zeros, count; planes; two downloads. */
static guint
steps_after_instances (const SegModelInfo *info, const SegPipeConfig *c)
{
  guint planes = seg_format_info (c->format)->n_planes;
  return 5 + (info->decoder == SEG_DECODER_YOLO_SEG) + 8 + 2 + 2
         + (c->output == SEG_OUTPUT_OVERLAY       ? planes
             : c->output == SEG_OUTPUT_BACKGROUND ? 3 + planes
             : c->output == SEG_OUTPUT_CUTOUT     ? 1
                                                  : 0);
}

static guint
steps_after (const SegModelInfo *info, const SegPipeConfig *c)
{
  if (info->decoder == SEG_DECODER_YOLO || info->decoder == SEG_DECODER_YOLO_SEG)
    return steps_after_instances (info, c);
  gboolean matte =
      seg_output_wants_matte (c->output) || info->decoder >= SEG_DECODER_SOFTMAX;
  gboolean overlay = c->output == SEG_OUTPUT_OVERLAY;
  guint planes = seg_format_info (c->format)->n_planes;
  /* (reduce, zeros, matte_draw) or (reduce, matte, zeros, count); seven where classes are decided (zeros, reduce,
   * cells, classes, refine, zeros, count) or mattes guided, in frames larger than the map (reduce, guide, fit, mean,
   * matte, zeros, count), and to draw them a step a plane. Then the legend: rows, and a step a plane; or what is
   * behind: made small, blurred twice, and a step a plane. */
  guint decode = !matte || c->guided ? 7 + (overlay ? planes : 0) : overlay ? 3 : 4;
  if (c->output == SEG_OUTPUT_BACKGROUND)
    return decode + 3 + planes + 1;
  return decode + (overlay ? 1 + planes : c->output == SEG_OUTPUT_CUTOUT ? 1 : 0) + 1;
}

static gboolean
parse (int argc, char **argv, SegPipeConfig *c, guint *runs)
{
  static const char *const outputs[] = { "overlay", "labels", "matte", "cutout", NULL,
    "background" };
  if (argc < 5 || sscanf (argv[3], "%ux%u", &c->width, &c->height) != 2)
    return FALSE;
  gboolean found = FALSE;
  for (SegFormat f = 0; f < SEG_FORMAT_COUNT; f++)
    if (strcmp (argv[2], seg_format_info (f)->name) == 0) {
      c->format = f;
      found = TRUE;
    }
  g_auto (GStrv) output = g_strsplit (argv[4], "+", 2);
  c->guided = g_strcmp0 (output[0] ? output[1] : NULL, "guided") == 0;
  for (guint i = 0; i < G_N_ELEMENTS (outputs); i++)
    if (g_strcmp0 (output[0], outputs[i]) == 0)
      c->output = (SegOutputKind) i;
  c->blur_sigma = c->height / 40.0;
  c->color = seg_color_bt709;
  c->result_format = SEG_FORMAT_RGBA;
  c->timed = TRUE;
  c->in_place = TRUE; /* as the element has it */
  *runs = argc > 5 ? (guint) atoi (argv[5]) : 20;
  return found;
}

static gboolean
load_picture (SegPipe *pipe, const char *path, GError **error)
{
  guint8 *to;
  const SegFrame *frame = seg_pipe_input (pipe, &to);
  const SegFormatInfo *info = seg_format_info (frame->format);
  g_autofree char *data = NULL;
  gsize n_bytes, at = 0;
  memset (to, 0, frame->n_bytes);
  if (path == NULL)
    return TRUE;
  if (!g_file_get_contents (path, &data, &n_bytes, error))
    return FALSE;
  for (guint p = 0; p < info->n_planes; p++)
    for (guint y = 0; y < seg_frame_n_rows (frame, p); y++) {
      gsize hsub = info->planes[p].hsub, width = (frame->width + hsub) >> hsub;
      gsize row = (width * info->planes[p].bytes + 3) & ~(gsize) 3;
      if (at + row > n_bytes) {
        g_set_error (error, SEG_ERROR, SEG_ERROR_INPUT, "%s is too short", path);
        return FALSE;
      }
      memcpy (to + frame->offset[p] + y * frame->stride[p], data + at,
          MIN (row, frame->stride[p]));
      at += row;
    }
  return TRUE;
}

/* Frames come through the caches that the network has used: each is written anew. */
static gboolean
run (SegPipe *pipe, SegPipeWork work, const guint8 *frame, GError **error)
{
  guint8 *to;
  gsize n_bytes = seg_pipe_input (pipe, &to)->n_bytes;
  memcpy (to, frame, n_bytes);
  return seg_pipe_submit (pipe, work, error) && seg_pipe_wait (pipe, error);
}

/* What a frame takes of all processors, which other programs disturb less than times: for CPU devices. */
static gboolean
print_cpu (SegPipe *pipe, SegPipeWork work, const char *name, guint runs,
    const guint8 *frame, GError **error)
{
  clock_t start = clock ();
  for (guint r = 0; r < runs; r++)
    if (!run (pipe, work, frame, error))
      return FALSE;
  print_step (name,
      (guint64) ((double) (clock () - start) * 1e9 / CLOCKS_PER_SEC / MAX (runs, 1)));
  return TRUE;
}

static gboolean
measure (
    SegNet *net, const SegPipeConfig *c, guint runs, const char *picture, GError **error)
{
  SegPipe *pipe = seg_pipe_new (net->vk, net->session, net->info, c, error);
  g_autofree guint64 *least = NULL;
  guint n = 0;
  if (pipe == NULL || !load_picture (pipe, picture, error))
    return FALSE;
  guint8 *data;
  gsize n_bytes = seg_pipe_input (pipe, &data)->n_bytes;
  g_autofree guint8 *frame = g_memdup2 (data, n_bytes);
  for (guint r = 0; r < runs; r++) {
    if (!run (pipe, SEG_PIPE_INFER, frame, error))
      return FALSE;
    g_autofree guint64 *ns = seg_pipe_times (pipe, &n, error);
    if (ns == NULL)
      return FALSE;
    for (guint i = 0; least != NULL && i < n; i++)
      ns[i] = MIN (ns[i], least[i]);
    g_free (least);
    least = g_steal_pointer (&ns);
  }
  print_times (least, n, 1, steps_after (net->info, c));
  if (!print_cpu (pipe, SEG_PIPE_INFER, "all, CPU", runs, frame, error)
      || !print_cpu (pipe, SEG_PIPE_REDRAW, "redraw, CPU", runs, frame, error))
    return FALSE;
  const SegInstances *list = seg_pipe_instances (pipe);
  if (list != NULL)
    printf ("%u instances\n", list->n);
  seg_pipe_free (&pipe);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  SegPipeConfig config = { 0 };
  guint runs = 0;
  if (!parse (argc, argv, &config, &runs)) {
    fprintf (stderr, "usage: bench-frame MODEL FORMAT WxH "
                     "overlay|labels|matte|cutout|background[+guided] "
                     "[RUNS [PICTURE]]\n");
    return 2;
  }
  SegNetOptions options = { .model = argv[1], .device = g_getenv ("VKSEG_DEVICE") };
  SegNet *net = seg_net_new (&options, &error);
  if (net == NULL || !measure (net, &config, runs, argc > 6 ? argv[6] : NULL, &error)) {
    fprintf (stderr, "bench-frame: %s\n", error->message);
    return 1;
  }
  seg_net_free (&net);
  return 0;
}
