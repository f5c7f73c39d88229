/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For tests of what is written in documentation:
 *   helper nets DIR            small networks under the names that recipes use
 *   helper parse WORDS...      whether a pipeline can be made: elements, properties, values, links */
#include "frame/color-net.h"
#include "frame/region-net.h"

#include <gst/gst.h>

#include <string.h>

#define PIXELS "mean=0\nstd=255\n"

static int
write_nets (const char *dir)
{
  static const struct {
    const char *name;
    ColorNetKind kind;
    const char *info;
  } nets[] = {
    { "selfie", COLOR_NET_PLAIN,
        "[vkseg]\ndecoder=softmax\n" PIXELS "labels=background,red,green,person\n" },
    { "u2netp", COLOR_NET_SOFTMAX,
        "[vkseg]\ndecoder=softmax\n" PIXELS "labels=background,red,green,thing\n" },
    { "deeplabv3", COLOR_NET_PLAIN,
        "[vkseg]\ndecoder=argmax\n" PIXELS "labels=background,person,car,dog\n" },
    { "yolov8n-seg", COLOR_NET_YOLO,
        "[vkseg]\ndecoder=yolo-seg\n" PIXELS "labels=person,car\n" },
  };
  const RegionNet region_net = { REGION_NET_CLASSIFY, .batch = 0 };
  for (guint i = 0; i < G_N_ELEMENTS (nets); i++)
    g_free (color_net_write (dir, nets[i].name, nets[i].kind, nets[i].info));
  g_free (region_net_write (dir, "rcnn", &region_net, "region-context=8\n"));
  return 0;
}

static int
parse (char **words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launchv_full (
      (const gchar **) words, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (pipeline != NULL && error == NULL)
    return 0;
  g_printerr ("%s\n", error->message);
  return 1;
}

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  if (argc == 3 && strcmp (argv[1], "nets") == 0)
    return write_nets (argv[2]);
  if (argc > 2 && strcmp (argv[1], "parse") == 0)
    return parse (argv + 2);
  g_printerr ("usage: helper nets DIR | helper parse WORDS...\n");
  return 2;
}
