"""The rules of video, sound, text and manifests. Pure: no I/O, no clock."""
