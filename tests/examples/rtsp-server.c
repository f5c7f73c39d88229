/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the recipes of RTSP talk to: rtsp-server FILE serves H.264 at /stream, once for each client, and
 * writes what clients send to /vkseg into FILE. Prints its port on 127.0.0.1 and runs until it is killed. */
#include <gst/rtsp-server/rtsp-server.h>

#define CAMERA                                                                           \
  "( videotestsrc is-live=true num-buffers=20 ! "                                        \
  "video/x-raw,width=160,height=120,framerate=10/1 "                                     \
  "! openh264enc gop-size=5 ! h264parse ! rtph264pay name=pay0 config-interval=1 )"
#define RECORDER                                                                         \
  "( rtph264depay name=depay0 ! filesink async=false buffer-mode=unbuffered "            \
  "location=\"%s\" )"

static void
mount (GstRTSPServer *server, const char *path, const char *launch,
    GstRTSPTransportMode mode)
{
  g_autoptr (GstRTSPMountPoints) mounts = gst_rtsp_server_get_mount_points (server);
  GstRTSPMediaFactory *factory = gst_rtsp_media_factory_new ();
  gst_rtsp_media_factory_set_launch (factory, launch);
  gst_rtsp_media_factory_set_transport_mode (factory, mode);
  gst_rtsp_mount_points_add_factory (mounts, path, factory);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  if (argc != 2) {
    g_printerr ("usage: rtsp-server FILE\n");
    return 2;
  }
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GstRTSPServer) server = gst_rtsp_server_new ();
  gst_rtsp_server_set_address (server, "127.0.0.1");
  gst_rtsp_server_set_service (server, "0");
  g_autofree char *recorder = g_strdup_printf (RECORDER, argv[1]);
  mount (server, "/stream", CAMERA, GST_RTSP_TRANSPORT_MODE_PLAY);
  mount (server, "/vkseg", recorder, GST_RTSP_TRANSPORT_MODE_RECORD);
  if (gst_rtsp_server_attach (server, NULL) == 0) {
    g_printerr ("no port to listen on\n");
    return 1;
  }
  g_print ("%d\n", gst_rtsp_server_get_bound_port (server));
  g_main_loop_run (loop);
  return 0;
}
