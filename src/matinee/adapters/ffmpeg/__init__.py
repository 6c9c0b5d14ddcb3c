"""The ``ffmpeg`` program: encoder, scanner and meter."""
