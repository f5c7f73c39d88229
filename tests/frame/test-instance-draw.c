/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Instances with made-up masks to maps and pictures on the device, against plain C. */
#include "reference.h"
#include "vk/common.h"

#include "frame/instancedraw.h"

#include <math.h>
#include <string.h>

static SegVk *vk;

typedef struct {
  guint width, height, n;
  SegFormat format;
  SegDrawingParts parts;
  gboolean by_instance;
} Case;

typedef struct {
  Case c;
  SegFrame frame;
  SegParams params;
  SegFrameSource source;
  SegDrawing drawing;
  SegInstanceMemory instances;
  SegDrawingMemory memory;
  SegDecodeMemory maps;
  SegPiece drawn;
  SegPalette palette;
  SegStyleBlock *style;
  SegBufferView style_view, decode;
  SegBuffer *upload, *lists, *work, *readback;
  SegInstance items[SEG_MAX_CANDIDATES];
  const guint8 *masks, *map, *matte, *result;
  const guint16 *ink;
  gsize stride;
} Run;

static char *
case_text (const Case *c)
{
  return g_strdup_printf (
      "%ux%u %s, %u instances: classes %d masks %d boxes %d labels %d "
      "nearest %d filled %d by instance %d",
      c->width, c->height, seg_format_info (c->format)->name, c->n, c->parts.classes,
      c->parts.masks, c->parts.boxes, c->parts.labels, c->parts.nearest, c->parts.filled,
      c->by_instance);
}

/* Boxes anywhere, masks of several sizes that reach past their boxes, and some without. */
static void
make_instances (Run *r)
{
  const Case *c = &r->c;
  g_autoptr (GRand) rand = g_rand_new_with_seed (c->width * 31 + c->n);
  guint8 *masks = seg_buffer_map (r->lists);
  gsize used = 0;
  for (guint i = 0; i < c->n; i++) {
    SegInstance *s = &r->items[i];
    float x0 = (float) g_rand_double_range (rand, 0, c->width - 0.5);
    float y0 = (float) g_rand_double_range (rand, 0, c->height - 0.5);
    s->class_id = (guint) g_rand_int_range (rand, 0, 5);
    s->score = 1.0f - (float) i / (float) (c->n + 1);
    s->x = x0;
    s->y = y0;
    s->width = MIN ((float) g_rand_double_range (rand, 0.3, c->width), c->width - x0);
    s->height = MIN ((float) g_rand_double_range (rand, 0.3, c->height), c->height - y0);
    if (i % 5 == 4)
      continue;
    s->mask_width = (guint) g_rand_int_range (rand, 1, 9);
    s->mask_height = (guint) g_rand_int_range (rand, 1, 7);
    s->mask_stride = 12;
    s->mask_offset = used;
    s->mask_x = x0 - 1.3f;
    s->mask_y = y0 - 0.7f;
    s->mask_w = s->width + 3.1f;
    s->mask_h = s->height + 2.2f;
    for (guint k = 0; k < s->mask_height * s->mask_stride; k++)
      masks[used + k] = (guint8) g_rand_int_range (rand, 0, 256);
    used += s->mask_height * s->mask_stride;
  }
  r->masks = masks;
  r->instances.masks = (SegPiece){ r->lists, 0, (used + 16) & ~15ul };
  r->instances.records =
      (SegPiece){ r->lists, 1 << 19, seg_instance_records_bytes (SEG_MAX_CANDIDATES) };
  seg_instances_write (masks + (1 << 19), r->items, c->n);
}

static void
put (SegPiece *piece, SegBuffer *buffer, gsize *used, gsize align)
{
  piece->buffer = buffer;
  piece->offset = *used = (*used + align - 1) & ~(align - 1);
  *used += (piece->n_bytes + 15) & ~15ul;
}

static void
prepare (Run *r)
{
  static const char *const texts[] = { "a", "bc", "dog", "traffic light", "e" };
  const Case *c = &r->c;
  GError *error = NULL;
  SegColor color = seg_color_bt709;
  gsize used = 0, align = MAX (16, seg_vk_info (vk)->buffer_align);
  seg_frame_layout (&r->frame, c->format, &color, c->width, c->height, align, &error);
  seg_palette_load (&r->palette, "coco", NULL, -1, &error);
  g_assert_no_error (error);
  r->upload = test_buffer (vk, (r->frame.n_bytes + 15) & ~15ul, SEG_BUFFER_UPLOAD);
  r->lists = test_buffer (vk, 1 << 20, SEG_BUFFER_UPLOAD);
  r->work = test_buffer (vk, 1 << 22, SEG_BUFFER_DEVICE);
  r->readback = test_buffer (vk, 1 << 22, SEG_BUFFER_READBACK);
  make_instances (r);
  seg_drawing_sizes (&r->memory, c->width, c->height);
  r->drawn.n_bytes = (r->frame.n_bytes + 15) & ~15ul;
  SegPiece *pieces[] = { &r->memory.map, &r->memory.matte, &r->memory.ink,
    &r->memory.draws, &r->memory.colors, &r->memory.tiles, &r->drawn };
  for (guint i = 0; i < G_N_ELEMENTS (pieces); i++)
    put (pieces[i], r->work, &used, align);
  g_assert_cmpuint (used, <=, 1 << 22);
  g_assert_true (seg_params_init (&r->params, vk, &error));
  r->style = seg_params_add (
      &r->params, sizeof *r->style, SEG_VIEW_UNIFORM, &r->style_view, &error);
  memset (r->style->keep, 0xff, sizeof r->style->keep);
  seg_decode_frame_view (&r->params, c->width, c->height, &r->decode, &error);
  seg_frame_source_init (&r->source, &r->params, &r->frame, r->upload, 0, &error);
  seg_drawing_init (
      &r->drawing, vk, &r->params, &r->frame, texts, G_N_ELEMENTS (texts), &error);
  g_assert_no_error (error);
  seg_drawing_set_colors (&r->drawing, &r->frame, &r->palette, 0.5, c->by_instance);
  r->drawing.values->mask_threshold = 0.5f;
  r->drawing.values->choice[0] = c->parts.classes ? 255 : 0;
  r->maps.map = r->memory.map;
  r->maps.matte = r->memory.matte;
  g_autoptr (GRand) rand = g_rand_new_with_seed (c->height);
  guint8 *bytes = seg_buffer_map (r->upload);
  for (gsize i = 0; i < r->frame.n_bytes; i++)
    bytes[i] = (guint8) g_rand_int_range (rand, 0, 256);
}

static Run *
run_case (const Case *c)
{
  GError *error = NULL;
  Run *r = g_new0 (Run, 1);
  r->c = *c;
  prepare (r);
  SegCmd *cmd = test_cmd (vk, FALSE);
  SegComposeInput input = { .memory = &r->maps,
    .decode = r->decode,
    .style = r->style_view,
    .colors = seg_piece_view (&r->memory.colors, SEG_VIEW_TEXEL_U8X4),
    .ink = c->parts.boxes || c->parts.labels ? &r->memory.ink : NULL };
  seg_drawing_record (cmd, &r->drawing, &r->memory, &r->instances.records,
      &r->instances.masks, &c->parts, &error);
  g_assert_no_error (error);
  if (!c->parts.classes)
    seg_compose_record (
        cmd, &r->params, &input, &r->source, r->drawn.buffer, r->drawn.offset, &error);
  g_assert_no_error (error);
  g_assert_true (seg_cmd_copy (cmd, r->work, 0, r->readback, 0, 1 << 22, &error));
  test_run (cmd);
  seg_cmd_free (&cmd);
  const guint8 *data = seg_buffer_map (r->readback);
  r->stride = seg_map_stride (c->width);
  r->map = data + r->memory.map.offset;
  r->matte = data + r->memory.matte.offset;
  r->ink = (const guint16 *) (gconstpointer) (data + r->memory.ink.offset);
  r->result = data + r->drawn.offset;
  return r;
}

static void
run_free (Run *r)
{
  seg_drawing_clear (&r->drawing);
  seg_params_clear (&r->params);
  seg_buffer_free (&r->upload);
  seg_buffer_free (&r->lists);
  seg_buffer_free (&r->work);
  seg_buffer_free (&r->readback);
  g_free (r);
}

/* --- reference --------------------------------------------------------------------------------------- */

static double
mask_pixel (const Run *r, const SegInstance *s, double x, double y)
{
  guint px = (guint) CLAMP (x, 0, s->mask_width - 1.0);
  guint py = (guint) CLAMP (y, 0, s->mask_height - 1.0);
  return r->masks[s->mask_offset + (gsize) py * s->mask_stride + px] / 255.0;
}

static double
mask_at (const Run *r, const SegInstance *s, guint x, guint y)
{
  double u = (x + 0.5 - s->mask_x) / s->mask_w * s->mask_width - 0.5;
  double v = (y + 0.5 - s->mask_y) / s->mask_h * s->mask_height - 0.5;
  if (r->c.parts.nearest)
    return mask_pixel (r, s, floor (u + 0.5), floor (v + 0.5));
  double u0 = floor (u), v0 = floor (v), a = u - u0, b = v - v0;
  return (1 - b)
             * ((1 - a) * mask_pixel (r, s, u0, v0) + a * mask_pixel (r, s, u0 + 1, v0))
         + b
               * ((1 - a) * mask_pixel (r, s, u0, v0 + 1)
                   + a * mask_pixel (r, s, u0 + 1, v0 + 1));
}

static void
box_of (const Run *r, const SegInstance *s, int box[4])
{
  box[0] = (int) floorf (s->x);
  box[1] = (int) floorf (s->y);
  box[2] = (int) MIN (ceilf (s->x + s->width), (float) r->c.width);
  box[3] = (int) MIN (ceilf (s->y + s->height), (float) r->c.height);
}

static gboolean
within (const int box[4], guint x, guint y, int margin)
{
  return (int) x >= box[0] + margin && (int) x < box[2] - margin
         && (int) y >= box[1] + margin && (int) y < box[3] - margin;
}

typedef struct {
  guint owner; /* instance + 1 */
  double probability,
      margin; /* margin: by how much the decision could have been another */
  guint line; /* instance + 1 */
} Pixel;

static Pixel
reference_pixel (const Run *r, guint x, guint y)
{
  Pixel p = { .margin = 1.0 };
  double best = 0.0;
  for (guint i = 0; i < MIN (r->c.n, SEG_MAX_DRAWN); i++) {
    const SegInstance *s = &r->items[i];
    int box[4], w = r->drawing.values->frame[3];
    box_of (r, s, box);
    if (!within (box, x, y, 0))
      continue;
    if (p.line == 0 && !within (box, x, y, w))
      p.line = i + 1;
    if (!r->c.parts.masks || (s->mask_width == 0 && !r->c.parts.filled))
      continue;
    double v = s->mask_width == 0 ? 1.0 : mask_at (r, s, x, y);
    p.margin = MIN (p.margin, fabs (v - 0.5));
    p.probability = MAX (p.probability, v);
    if (v >= 0.5)
      p.margin = MIN (p.margin, fabs (v * s->score - best));
    if (v >= 0.5 && v * s->score > best) {
      best = v * s->score;
      p.owner = i + 1;
    }
  }
  return p;
}

static guint
map_value (const Run *r, guint owner)
{
  if (!r->c.parts.classes)
    return owner;
  return owner > 0 ? r->items[owner - 1].class_id : 255;
}

static void
check_maps (const Run *r)
{
  const Case *c = &r->c;
  guint n_unsure = 0;
  for (guint y = 0; y < c->height; y++)
    for (guint x = 0; x < c->width; x++) {
      Pixel p = reference_pixel (r, x, y);
      gsize at = y * r->stride + x;
      gboolean unsure = p.margin < 1e-5 || c->parts.nearest;
      gboolean same = r->map[at] == map_value (r, p.owner)
                      && fabs (r->matte[at] - 255 * p.probability) < 0.51;
      n_unsure += !same && unsure;
      if (!same && !unsure)
        g_error ("pixel %u,%u: map %u matte %u, must be %u and %g", x, y, r->map[at],
            r->matte[at], map_value (r, p.owner), 255 * p.probability);
      guint line = r->ink[at] & 255;
      if (c->parts.boxes && !c->parts.labels && line != p.line)
        g_error ("pixel %u,%u: line of %u, must be of %u", x, y, line, p.line);
    }
  g_assert_cmpuint (n_unsure, <=, c->width * c->height / 50);
}

/* Boxes and labels are opaque, so a picture of them is one of a map with more classes: for each
 * pixel a class of its own makes it general. */
static void
check_picture (const Run *r)
{
  const Case *c = &r->c;
  const SegFormatInfo *info = seg_format_info (c->format);
  gsize n = (gsize) c->width * c->height;
  g_autofree guint8 *map = g_new0 (guint8, n);
  g_autofree double *want = g_new (double, r->frame.n_bytes);
  SegPalette palette = { 0 };
  double alpha[256];
  for (guint i = 0; i < 256; i++) {
    guint item = i % 128;
    guint color = item == 0 ? 0 : c->by_instance ? item : r->items[item - 1].class_id;
    memcpy (palette.rgba[i], r->palette.rgba[color], 4);
    alpha[i] = item == 0 ? 0.0 : i < 128 ? 128 / 255.0 : 1.0;
  }
  for (gsize i = 0; i < n; i++) {
    gsize at = i / c->width * r->stride + i % c->width;
    map[i] = c->parts.boxes && r->ink[at] != 0 ? (guint8) (128 + (r->ink[at] & 127))
                                               : r->map[at];
  }
  ref_blend (&r->frame, seg_buffer_map (r->upload), map, NULL, &palette, alpha, want);
  for (guint p = 0; p < info->n_planes; p++)
    for (guint y = 0; y < seg_frame_n_rows (&r->frame, p); y++)
      for (gsize x = 0; x < seg_frame_row_bytes (&r->frame, p); x++) {
        gsize at = r->frame.offset[p] + y * r->frame.stride[p] + x;
        if (c->width % 2 && info->planes[p].bytes == 4 && info->kind == SEG_COLOR_YUV
            && x + 4 > seg_frame_row_bytes (&r->frame, p))
          continue; /* luma of a pixel that is not there */
        if (!(ref_off (&r->frame, r->result, at, want[at]) <= 0.51))
          g_error ("plane %u row %u byte %" G_GSIZE_FORMAT " is %u, must be %g", p, y, x,
              r->result[at], want[at]);
      }
}

static void
check (const Case *c)
{
  g_autofree char *text = case_text (c);
  g_test_message ("%s", text);
  Run *r = run_case (c);
  check_maps (r);
  if (!c->parts.classes && !c->parts.labels && c->n < 100)
    check_picture (r);
  run_free (r);
}

/* --- cases ------------------------------------------------------------------------------------------- */

static const Case plain = { .width = 95,
  .height = 61,
  .n = 13,
  .format = SEG_FORMAT_RGBA,
  .parts = { .masks = TRUE, .boxes = TRUE } };

static void
test_maps (void)
{
  static const guint sizes[][2] = { { 95, 61 }, { 48, 130 }, { 7, 5 }, { 1, 1 } };
  for (guint i = 0; i < G_N_ELEMENTS (sizes) * 4; i++) {
    Case c = plain;
    c.width = sizes[i / 4][0];
    c.height = sizes[i / 4][1];
    c.parts.classes = i & 1;
    c.parts.filled = (i & 2) != 0;
    check (&c);
  }
}

static void
test_parts (void)
{
  for (guint i = 0; i < 8; i++) {
    Case c = plain;
    c.parts.masks = i & 1;
    c.parts.boxes = (i & 2) != 0;
    c.parts.nearest = (i & 4) != 0;
    check (&c);
  }
}

static void
test_formats (void)
{
  for (SegFormat f = 0; f < SEG_FORMAT_COUNT; f++)
    for (guint odd = 0; odd < 2; odd++) {
      Case c = plain;
      c.format = f;
      c.width += odd;
      c.by_instance = odd;
      check (&c);
    }
}

/* None at all, and more than can be drawn. */
static void
test_numbers (void)
{
  static const guint numbers[] = { 0, 1, SEG_MAX_DRAWN, SEG_MAX_DRAWN + 1, 1024 };
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++) {
    Case c = plain;
    c.n = numbers[i];
    check (&c);
  }
}

/* A label is a panel of the instance's number with text in it, above its box or, where there is no
 * room, within; always in the frame. */
static void
test_labels (void)
{
  Case c = plain;
  c.width = 300;
  c.height = 200;
  c.n = 1;
  c.format = SEG_FORMAT_RGBX;
  c.parts = (SegDrawingParts){ .labels = TRUE };
  Run *r = run_case (&c);
  const SegInstance *s = &r->items[0];
  guint height = (guint) r->drawing.values->text[0], n_panel = 0, n_text = 0;
  guint x0 = c.width, x1 = 0, y0 = c.height, y1 = 0;
  for (guint y = 0; y < c.height; y++)
    for (guint x = 0; x < c.width; x++) {
      guint16 ink = r->ink[y * r->stride + x];
      if (ink == 0)
        continue;
      g_assert_cmpuint (ink & 255, ==, 1);
      n_panel++;
      n_text += ink >> 8 > 128;
      x0 = MIN (x0, x);
      x1 = MAX (x1, x + 1);
      y0 = MIN (y0, y);
      y1 = MAX (y1, y + 1);
    }
  g_test_message ("box %g,%g; label %u,%u to %u,%u with %u of text", s->x, s->y, x0, y0,
      x1, y1, n_text);
  g_assert_cmpuint (y1 - y0, ==, height);
  g_assert_cmpuint (n_panel, ==, (x1 - x0) * height);
  g_assert_cmpuint (y1, ==, (guint) floorf (s->y) >= height ? (guint) floorf (s->y) : y1);
  g_assert_cmpuint (n_text, >, 20);
  g_assert_cmpuint (n_text, <, n_panel / 2);
  /* Text is drawn in black or white, the panel in the class's colour. */
  gsize at = r->frame.offset[0] + y0 * r->frame.stride[0] + 4 * x0;
  g_assert_cmpmem (r->result + at, 3, r->palette.rgba[s->class_id], 3);
  run_free (r);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  vk = test_device (NULL);
  if (vk != NULL) {
    g_test_add_func ("/instance-draw/maps", test_maps);
    g_test_add_func ("/instance-draw/parts", test_parts);
    g_test_add_func ("/instance-draw/formats", test_formats);
    g_test_add_func ("/instance-draw/numbers", test_numbers);
    g_test_add_func ("/instance-draw/labels", test_labels);
  }
  int status = g_test_run ();
  seg_vk_unref (vk);
  return status;
}
